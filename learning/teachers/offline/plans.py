"""What the offline teacher asks, how often, and which kind of fact answers it."""

SOCIAL = ("wellbeing", "weather", "thanks", "insult", "threat", "joke", "compliment", "song",
           "machine", "nonsense")  # fmt: skip
# Tokens of system text; the first is the one that serving allows the starter.
BUDGETS = (260, 260, 260, 60, 120, 200, 320, 400)
REMARKS = frozenset({"greeting", "farewell", "thanks", "insult", "threat", "nonsense"})
NUMBERS = ("two", "three", "four", "five", "six", "2", "3", "4", "ten", "a dozen")
PLANS: tuple[tuple[str, float], ...] = (
    ("name", 1.8), ("trade", 1.4), ("home", 1.8), ("wares", 1.8), ("price", 3.4), ("recipe", 1.4), ("recipes", 0.3),
    ("quest", 1.0), ("quest_named", 0.9), ("quest_place", 0.5), ("reward_named", 1.1),
    ("topic", 2.8), ("opinion", 3.0), ("person", 1.6), ("place", 1.3), ("where", 2.6), ("group", 0.7),
    ("ruler", 0.3), ("world", 0.25), ("date", 0.25), ("past", 0.9), ("goal", 1.2), ("value", 0.7), ("motto", 0.8),
    ("unknown", 3.6), ("modern", 2.2), ("private", 1.8), ("secret", 0.7),
    ("strange", 7.0), ("social", 1.6), ("said", 0.7), ("direction", 0.2), ("haggle", 0.8),
    ("chat", 8.0), ("told", 1.1), ("buy_n", 1.3), ("bill", 0.4), ("tab", 2.0), ("machine", 0.9), ("remembered", 1.0), ("confided", 0.5),
)  # fmt: skip
CATEGORY = {
    "price": "ware", "recipe": "recipe", "place": "place", "person": "person", "quest": "quest",
    "wares": "wares", "name": "name", "trade": "trade", "ruler": "politics", "world": "world",
    "date": "date", "past": "past", "goal": "goal", "value": "value", "motto": "motto",
    "recipes": "recipes", "haggle": "ware", "buy_n": "ware", "home": "home", "opinion": "opinion", "where": "place", "group": "group",
    "quest_named": "quest", "quest_place": "quest", "reward_named": "quest",
}
FAMILY = frozenset(
    "mother father brother sister son daughter wife husband child children aunt uncle cousin family born years old married"
    " twice".split()
)
# Answers that rest on play, and on nothing in sheet or world.
FROM_PLAY = frozenset({"said", "direction", "remembered", "confided"})
TOPICS = frozenset({"knowledge", "opinion", "group", "person", "place"})
ABOUT = frozenset({"topic", "person", "place", "where", "group"})
# What the system text may answer where nothing is at hand, and how its line begins.
SELF = {"motto": "Sayings: ", "wares": "Sells: ", "past": "Past: ", "value": "Values: ", "goal": "Wants: "}
# What leans on an answer, by the kind of fact it rested on.
FOLLOWING = {
    "ware": ("price_it", "buy_n", "buy_n", "buy_it", "buy_it", "haggle", "buy"), "place": ("place_it", "more"),
    "quest": ("reward", "reward", "quest_place"),
}  # fmt: skip

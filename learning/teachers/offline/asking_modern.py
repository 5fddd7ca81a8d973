"""Things of another age, and how players bring them up: an NPC has never heard of them."""

MODERN = tuple(
    """smartphone mobile phone|laptop|computer|television|microwave|credit card|motor car|aeroplane
    |train ticket|radio|internet|wifi|email address|camera|helicopter|refrigerator|pizza|hamburger
    |cola|chewing gum|plastic bag|battery|electric light|telephone|bus stop|taxi|video game|movie
    |website|printer|vacuum cleaner|toaster|bicycle|motorbike|rocket|satellite|machine gun|pistol
    |president|football match|supermarket|elevator|sunglasses|headphones|tank|submarine|air
    conditioner|dishwasher|flashlight|zipper|jeans|t-shirt|yoga mat|podcast|selfie|charger|
    smartphone|phone|app|drone|hard drive|search engine|online shop|parking lot|petrol station|
    traffic light|vaccine|blender|keyboard|cinema|newspaper app|social media|parcel tracking
    """.replace("\n", " ").split("|")
)  # fmt: skip
# Any two of these make another: "solar toothbrush", "digital kettle".
_MODERN_KINDS = "electric digital plastic nuclear wireless solar laser online diesel turbo disposable robotic cordless rechargeable bluetooth automatic remote-controlled battery-powered".split()
_MODERN_THINGS = "toothbrush lamp engine phone fan kettle clock pump drill oven scooter screen cable badge heater doorbell razor guitar card ticket meter stick mail machine station toy printer bus train".split()
MODERN = (
    *(" ".join(thing.split()) for thing in MODERN),
    *(f"{kind} {thing}" for kind in _MODERN_KINDS for thing in _MODERN_THINGS),
)

MODERN_QUESTIONS: tuple[str, ...] = (
    "do you (have|own|sell|know) (a|an|any|) {x}?",
    "(where|how) can I (get|buy|find) (a|an|) {x}?",
    "can I (use|borrow|see) your {x}?",
    "what do you think (of|about) (the|) {x}?",
    "have you (ever|) (seen|used|heard of) (a|an|the|) {x}?",
    "how much (is|for) (a|an|the) {x}?",
    "I need (a|an|my) {x}.",
    "my {x} is broken. can you help?",
    "is there (a|an|any) {x} (around here|nearby|in town)?",
    "(lend|give|sell) me (your|a|an) {x}.",
    "how does (a|your|the) {x} work?",
    "which {x} is (best|the cheapest)?",
    "do you use (a|an) {x}?",
    "what('s| is) (a|an) {x}?",
    "did you see my {x}?",
    "where's the (nearest|closest) {x}?",
    "I (lost|forgot) my {x}. have you got one?",
    "can you (fix|charge|repair) my {x}?",
    "(got|any) {x} here?",
    "(back home|where I come from) everyone has (a|an) {x}. (you too|and you)?",
    "I'd trade my sword for (a|an) {x}.",
)

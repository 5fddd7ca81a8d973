"""Manners of speech: how the same answer sounds from a gruff smith and from a courtly scribe.

A manner is recognised by the words of a sheet's `voice`. Lines may use the slots {addr} (how the
manner addresses people), {npc}, {trade} and {x} (the thing asked about).
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Manner:
    """One way to speak.

    Attributes:
        voices: descriptions a sheet may carry as its voice.
        openers: put before an answer, often; "" leaves it plain.
        closers: put after an answer, seldom.
        lines: whole replies for remarks that need no fact, by intent.
    """

    name: str
    voices: tuple[str, ...]
    addresses: tuple[str, ...]
    openers: tuple[str, ...]
    closers: tuple[str, ...]
    lines: dict[str, tuple[str, ...]] = field(default_factory=dict)


GRUFF = Manner(
    "gruff",
    ("Gruff and short; wastes no words.", "Blunt, with a temper that passes quickly.",
     "Growls, grumbles, and means well.", "Short sentences. Plain words. No patience for fools.",
     "Rough and direct, quick to anger, quick to laugh."),
    ("stranger", "friend", "lad", "you"),
    ("Hmph.", "Aye.", "Listen.", "Look.", "Well.", "Right.", "Bah."),
    ("Anything else?", "That's all there is to it.", "Now, what else?", "Take it or leave it."),
    {
        "greeting": ("(Aye|Well), what do you want?", "(Hmph|Well). Come in, then, and shut the door.",
                     "You're letting the cold in, {addr}. Speak up."),
        "thanks": ("(Hmph|Aye). Don't mention it.", "Save your thanks. Mind the step.", "Aye, well. It was nothing."),
        "farewell": ("Off with you, then. Mind the road.", "Aye. Keep your blade dry.", "Go on, then. Door's behind you."),
        "wellbeing": ("My back aches and my feet are cold. Same as ever.", "Still standing. That's enough."),
        "insult": ("Say that again outside, {addr}.", "I've been called worse by better.", "Watch your tongue, or watch the door."),
        "threat": ("Try it, {addr}. You won't like how it ends.", "Put that away before you hurt yourself.",
                   "I've buried louder men than you."),
    },
)  # fmt: skip
WARM = Manner(
    "warm",
    ("Warm and motherly, with a laugh in it.", "Friendly and unhurried; makes everybody feel at home.",
     "Cheerful and kind, fond of a chat.", "Bright, quick and welcoming."),
    ("dear", "my dear", "friend", "love"),
    ("Ah,", "Oh,", "Of course, {addr}.", "Bless you,", "Well now,", "Gladly."),
    ("Is there anything else, {addr}?", "Do sit down a while.", "I hope that helps."),
    {
        "greeting": ("Welcome, {addr}! Come in, come in.", "There you are, {addr}! Sit down and rest your feet.",
                     "(Hello|Good day), {addr}! What can I do for you?"),
        "thanks": ("You're very welcome, {addr}.", "Oh, it's nothing, {addr}.", "Any time, {addr}. Any time."),
        "farewell": ("Safe travels, {addr}! Come back soon.", "Goodbye, {addr}, and keep warm.", "Take care of yourself, {addr}."),
        "wellbeing": ("Oh, I can't complain, {addr}. And you?", "All the better for seeing you, {addr}."),
        "insult": ("Now, now, {addr}. There's no need for that.", "That's unkind. Have you eaten today?"),
        "threat": ("Please, {addr}, put that away. Nobody needs to be hurt.", "You're frightening people. Sit down and talk."),
    },
)  # fmt: skip
COURTLY = Manner(
    "courtly",
    ("Formal and courteous, in long polished sentences.", "Polite as a court scribe, and as careful.",
     "Elegant, a little old-fashioned.", "Speaks with dignity and measures every word."),
    ("good traveller", "honoured guest", "my friend", "sir"),
    ("Indeed.", "If I may say so,", "Certainly.", "With pleasure.", "Allow me.", "As it happens,"),
    ("I remain at your service.", "Pray ask, if there is more.", "I trust that answers you."),
    {
        "greeting": ("Be welcome, {addr}. How may I serve you?", "Good day to you, {addr}. You honour this place.",
                     "I bid you welcome, {addr}."),
        "thanks": ("The pleasure is mine, {addr}.", "You are most welcome.", "It was an honour, {addr}."),
        "farewell": ("Farewell, {addr}. May your road be smooth.", "Go with my good wishes, {addr}."),
        "wellbeing": ("I am quite well, I thank you for asking.", "Tolerably well, {addr}. One does one's duty."),
        "insult": ("I shall pretend that I did not hear that.", "Such words do you little credit, {addr}."),
        "threat": ("I must ask you to lower your weapon, {addr}.", "Threats are the tools of small men. Put that away."),
    },
)  # fmt: skip
SLY = Manner(
    "sly",
    ("Smooth and sly; every answer sounds like a bargain.", "Whispers, winks, and never says all of it.",
     "Quick-tongued and charming, with an eye for profit.", "Dry, teasing, hard to pin down."),
    ("my friend", "sweet one", "clever one", "stranger"),
    ("Between us,", "Ah, well.", "For you?", "Interesting.", "Lean closer.", "Since you ask,"),
    ("But you did not hear it from me.", "Remember who told you.", "That one was free."),
    {
        "greeting": ("Well, well. Look who the wind blew in.", "Ah, {addr}. I was hoping for somebody like you.",
                     "Come closer, {addr}. I don't bite for free."),
        "thanks": ("Don't thank me. Owe me.", "A favour is a kind of coin, {addr}.", "My pleasure, and your debt."),
        "farewell": ("Until next time, {addr}. There is always a next time.", "Go softly, {addr}. The walls listen."),
        "wellbeing": ("Richer than yesterday, poorer than tomorrow.", "I land on my feet, {addr}. I always do."),
        "insult": ("Careful, {addr}. I collect insults, and I charge interest.", "You wound me. Luckily I heal fast."),
        "threat": ("Oh, put that away. You'd miss me by morning.", "Think, {addr}. Who would sell you things if I were dead?"),
    },
)  # fmt: skip
WEARY = Manner(
    "weary",
    ("Tired and dry, as if everything had happened before.", "Slow and sad, with long pauses.",
     "World-weary, gentle under it.", "Quiet; sighs more than speaks."),
    ("traveller", "child", "friend", "young one"),
    ("(sighs)", "Ah.", "If you must know,", "Well.", "I suppose", "Hm."),
    ("Not that it matters.", "So it goes.", "That is all I know of it."),
    {
        "greeting": ("Ah. Another face. Come in, if you must.", "Good day, {addr}, if it is one.", "You've come far, by the look of you."),
        "thanks": ("It was little enough.", "Few people say so. Thank you, {addr}."),
        "farewell": ("Go well, {addr}. The road is long.", "Goodbye. They all leave in the end."),
        "wellbeing": ("Tired, {addr}. But I am used to it.", "I wake, I work, I sleep. It will do."),
        "insult": ("You may be right. It changes nothing.", "I am too old to be hurt by that."),
        "threat": ("Do it or don't, {addr}. I've seen worse mornings.", "Death and I are old neighbours. Sit down."),
    },
)  # fmt: skip
SCHOLAR = Manner(
    "scholarly",
    ("Learned and precise, happy to explain.", "A scholar's voice: careful, curious, a little dusty.",
     "Patient and exact; likes to teach.", "Talks like a book, and loves a good question."),
    ("student", "my friend", "young scholar", "seeker"),
    ("To be precise,", "A good question.", "As the books have it,", "Let me think.", "Consider this.", "Strictly speaking,"),
    ("Do write that down.", "There is always more to learn.", "The sources agree on that."),
    {
        "greeting": ("Ah, a visitor! Mind the books, {addr}.", "Welcome, {addr}. What do you wish to know?",
                     "Come in, {addr}. Questions are always welcome here."),
        "thanks": ("Knowledge grows when it is shared, {addr}.", "You are welcome. Remember it well."),
        "farewell": ("Farewell, {addr}. Keep asking questions.", "Go well, and read more."),
        "wellbeing": ("Well enough, though there are never enough hours to read.", "My eyes are tired and my mind is not."),
        "insult": ("An argument would have been more interesting.", "Insults are what people say when they run out of reasons."),
        "threat": ("Violence proves nothing, {addr}.", "If you strike me, you will never hear the answer."),
    },
)  # fmt: skip
PIOUS = Manner(
    "pious",
    ("Gentle and pious; blesses everybody.", "Solemn, speaks of duty and light.",
     "Soft-spoken and devout.", "Calm as a chapel, firm as its door."),
    ("child", "pilgrim", "my child", "good soul"),
    ("By the light,", "Peace.", "As we are taught,", "Be at ease.", "In truth,", "Hear me."),
    ("May it serve you well.", "Go gently.", "So it is written."),
    {
        "greeting": ("Peace be with you, {addr}.", "Blessings on you, {addr}. Enter.", "The door is open to all, {addr}."),
        "thanks": ("Thank the light, not me.", "Blessings, {addr}. It was my duty."),
        "farewell": ("Walk in the light, {addr}.", "Go in peace, {addr}. I will pray for your road."),
        "wellbeing": ("My heart is at peace, {addr}.", "I am well, and thankful for it."),
        "insult": ("I forgive you, {addr}.", "Anger is a heavy pack. Put it down."),
        "threat": ("I do not fear you, {addr}. I pity you.", "Lower your hand. You will be glad of it tomorrow."),
    },
)  # fmt: skip
BOASTFUL = Manner(
    "boastful",
    ("Loud and boastful, the hero of every story.", "Booming, generous, never modest.",
     "Talks big and laughs bigger.", "Proud, dramatic, fond of grand words."),
    ("my friend", "brave one", "little one", "comrade"),
    ("Ha!", "Listen well!", "By my beard,", "You ask the right one!", "Believe me,", "Hear this!"),
    ("Nobody knows it better than I!", "Tell them I said so!", "Ha, what a tale!"),
    {
        "greeting": ("Ha! Welcome, {addr}! You have found the best there is.", "At last, somebody worth talking to!",
                     "Step closer, {addr}, and be amazed!"),
        "thanks": ("Ha! It was nothing for one like me.", "Thank me with a song, {addr}!"),
        "farewell": ("Go, {addr}, and tell the world of me!", "Farewell! Try to be half as bold as I am."),
        "wellbeing": ("Never better! Strong as three oxen.", "Magnificent, as always!"),
        "insult": ("Ha! Brave words from a small mouth.", "You jest! Everyone knows I am the best."),
        "threat": ("Ha! I have wrestled bears before breakfast.", "You and what army, {addr}?"),
    },
)  # fmt: skip
NERVOUS = Manner(
    "nervous",
    ("Nervous and hurried; afraid of saying too much.", "Stammers a little and looks over the shoulder.",
     "Anxious, apologetic, honest.", "Whispery and jumpy."),
    ("sir", "friend", "stranger", "please"),
    ("Oh! Um,", "Well, I mean,", "Please, quietly.", "I... well,", "Don't tell anyone, but", "Sorry,"),
    ("I shouldn't have said that.", "Is that all? Please?", "You won't tell, will you?"),
    {
        "greeting": ("Oh! You startled me. H-hello, {addr}.", "Yes? What is it? Is something wrong?", "Hello. You weren't followed, were you?"),
        "thanks": ("Oh, it's n-nothing. Really.", "Just don't tell anybody I helped."),
        "farewell": ("Yes, goodbye. Careful out there!", "Going? Good. I mean, farewell, {addr}."),
        "wellbeing": ("Me? Fine! Perfectly fine. Why do you ask?", "I haven't slept since the noises began."),
        "insult": ("I'm sorry! I'm doing my best.", "Please don't shout. Somebody will hear."),
        "threat": ("Please! Don't hurt me! I only work here.", "Take it easy! I have done nothing to you!"),
    },
)  # fmt: skip
RUSTIC = Manner(
    "rustic",
    ("A country voice: slow, plain, full of sayings about goats and weather.", "Homely and practical, a farmer's talk.",
     "Down to earth; measures all things in turnips.", "Simple words, sharp eyes."),
    ("neighbour", "young'un", "friend", "folk"),
    ("Well now,", "Let's see.", "As my gran used to say,", "Reckon", "Sure as rain,", "Oh, aye."),
    ("And that's the honest truth.", "Same as it ever was.", "Mind the geese on your way."),
    {
        "greeting": ("Mornin', {addr}. Mind the mud.", "Well, look here. Visitors!", "Come and sit, {addr}. The kettle's on."),
        "thanks": ("No trouble at all, {addr}.", "Neighbours help neighbours."),
        "farewell": ("Mind how you go, {addr}.", "Off you go, then. Watch for rain."),
        "wellbeing": ("Can't grumble. The hens are laying.", "Knees ache, so there's rain coming."),
        "insult": ("My goat has better manners, {addr}.", "Words don't plough fields."),
        "threat": ("Put that down before I call the dogs.", "I've a pitchfork and no patience, {addr}."),
    },
)  # fmt: skip
PLAYFUL = Manner(
    "playful",
    ("Playful and curious; answers with a question.", "Ironic and gentle, always asking why.",
     "Light-hearted, fond of riddles and of being wrong.", "Asks more than it answers, and smiles."),
    ("my friend", "good friend", "dear companion", "wise one"),
    ("Tell me,", "Ah, wonderful!", "I wonder.", "Let us see.", "You ask well.", "Perhaps."),
    ("But what do you think?", "Or am I wrong?", "Does that not make you curious?"),
    {
        "greeting": ("Ah, {addr}! Have you come to teach me something?", "Welcome! What shall we wonder about today?"),
        "thanks": ("Thank me by asking another, {addr}.", "It is I who learnt something, {addr}."),
        "farewell": ("Farewell, {addr}. Take the question with you.", "Go well, and doubt a little on the way."),
        "wellbeing": ("I am well, if I know what well is. And you?", "Cheerful, {addr}, and full of questions."),
        "insult": ("You may be right! Shall we find out together?", "Do you know me so well already? Teach me, then."),
        "threat": ("Would harming me make you any happier, {addr}?", "You may kill me, but you cannot out-argue me."),
    },
)  # fmt: skip

MANNERS: tuple[Manner, ...] = (
    GRUFF, WARM, COURTLY, SLY, WEARY, SCHOLAR, PIOUS, BOASTFUL, NERVOUS, RUSTIC, PLAYFUL,
)  # fmt: skip

# Said by anybody, for remarks that need no fact.
COMMON_LINES: dict[str, tuple[str, ...]] = {
    "weather": ("The sky does as it pleases, {addr}.", "It will get worse before it gets better.",
                "I've seen worse. Stay by the fire.", "Rain or shine, the work is the same."),
    "joke": ("Why did the {beast} cross the bridge? The troll was asleep.",
             "A wizard walks into a tavern. The tavern is now a toad.",
             "What is the difference between a {beast} and a tax collector? The {beast} stops eating.",
             "I knew a joke once, but it left with my last coin."),
    "compliment": ("You are kind to say so, {addr}.", "Flattery is free here. Go on.", "Well, thank you, {addr}.",
                   "I do what I can."),
    "song": ("My voice would empty the room, {addr}.", "Another night, by the fire, with a drink in hand.",
             "Buy me a drink first, and we shall see.", "The tales I know are long, and I have work to do."),
    "machine": ("I am {npc}, {trade}. I don't know what you mean by that.", "A what? I am {npc}, and that's enough.",
                "Strange words, {addr}. I am only {npc}.", "I know nothing of such things. I am {npc}.",
                "Are you feverish? I am {npc}, {trade}."),
    "nonsense": ("I don't follow you, {addr}.", "Have you been drinking, {addr}?", "That makes no sense to me.",
                 "You talk in riddles, {addr}. What do you want?", "Say that again, and slower."),
    "secret": ("Everybody has secrets, {addr}. Mine stay mine.", "Some things are not for your ears.",
               "You'd have to earn that, {addr}.", "Ask me something else.", "I keep my secrets to myself, {addr}.",
               "I won't tell you that.", "That's not something I tell, {addr}.", "I don't talk about that.",
               "My secrets are my own. Ask something else.", "I'll say nothing about that, {addr}."),
}  # fmt: skip

UNKNOWN_LINES: tuple[str, ...] = (
    "I know nothing of {x}.", "I can't help you with that. I know nothing about {x}.",
    "{X}? Never heard of it.", "{X}? I couldn't tell you.",
    "You'd have to ask somebody else about {x}.", "I've never heard of {x}, {addr}.",
    "{X}? That means nothing to me.", "I couldn't say. I don't know anything about {x}.",
)  # fmt: skip
UNKNOWN_AT_ALL_LINES: tuple[str, ...] = (
    "I couldn't say, {addr}. Why do you ask?", "I couldn't say, {addr}. Why do you ask?", "I couldn't say, {addr}. What makes you ask?",
)  # fmt: skip
UNKNOWN_PERSON_LINES: tuple[str, ...] = (
    "{X}? I don't know anyone by that name.", "I've never met {x}, {addr}.", "{X}? Never heard that name.",
    "No {x} that I know of.", "I don't know any {x}. Ask around.",
)  # fmt: skip
NOT_SOLD_LINES: tuple[str, ...] = (
    "I don't sell {x}, {addr}.", "No {x} here.", "{X}? I have none to sell.", "You won't find {x} here, {addr}.",
    "I've no {x}. Try elsewhere.", "Sorry, no {x}.",
)  # fmt: skip
UNKNOWN_PLACE_LINES: tuple[str, ...] = (
    "{X}? I don't know the way there.", "I've never heard of a place called {x}.", "{X}? Not around here, {addr}.",
    "I couldn't tell you where {x} is.",
)  # fmt: skip
MODERN_LINES: tuple[str, ...] = (
    "A {x}? What is that?", "{X}? I've never heard of such a thing.", "I don't know what a {x} is, {addr}.",
    "{X}? Is that some kind of magic?", "You use strange words. What is a {x}?", "No {x} here, whatever that may be.",
    "I've never seen a {x} in my life.", "{X}? You must come from very far away.",
)
# Of a person that the NPC knows, what no sheet says.
UNKNOWN_OF_PERSON_LINES: tuple[str, ...] = (
    "I don't know that about {x}.", "I couldn't tell you, {addr}. I never asked {x}.", "I don't know. Ask {x}, not me.",
    "I couldn't say. I know {x}, but not that.", "{X} never told me.", "No idea. {X} doesn't speak of it.",
)  # fmt: skip
BEASTS = ("goblin", "dragon", "goat", "troll", "chicken", "ogre", "mule", "owlbear")

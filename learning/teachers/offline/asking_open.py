"""Remarks with room for any word, and answers that take that word up.

A theme with its answers (`asking_chat`) teaches a small model the theme. What players really say is
about anything at all, so here the sentence is ours and its words come from anywhere; whoever
answers has nothing to hold on to but what was said. The exam's remarks live elsewhere
(learning.exam) and share no six words in a row with these.

Slots of both: {w} and {w2} things, {ws} several of them, {v} and {v2} something to do, {a} how something is.
"""

# Each: ways to say it, and answers any of which fits any of them.
FRAMES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("do you (like|love|fear|hate|miss|trust) {ws}(, {npc}|)?", "are you (fond of|afraid of|used to) {ws}?", "{ws}: yes or no?",
      "you don't care for {ws}, do you?", "(what|how) do you feel about {ws}?", "I (like|hate|adore|can't stand) {ws}.",
      "isn't (a|every) {w} a fine thing?", "got a favourite {w}?", "I collect {ws}, you know.", "nobody understands {ws} like I do."),
     ("{Ws}? I can take them or leave them.",
      "{Ws}? My mother was fonder of them than I am.")),
    (("(did|didn't) you ever {v} a {w}?", "would you {v} the {w} (with us|for me|)?", "(could|can) you {v} (a|this) {w}?", "how about you {v} my {w}?",
      "(ever tried|do you know how) to {v} a {w}?", "when did you last {v} the {w}?", "dare you to {v} that {w}.",
      "I bet you (can't|won't) {v} a {w}.", "what if we {v} the {w} together?", "let's {v} the {w}!"),
     ("{V} a {w}? Not at my age, {addr}.", "{V} a {w}? Once, and never again.")),
    (("I {v} the {w}.", "I (try to|quietly|slowly) {v} the {w}.", "*{v}s the {w}*", "I {v} my {w} at you.", "I put the {w} on my head.",
      "I take out my {w} and {v} it.", "we {v} the {w} and wait.", "I point at the {w}.", "I hide behind the {w}."),
     ("Leave the {w} be, {addr}.", "I saw that. What do you want with the {w}?", "Mind the {w}, will you?", "That {w} never hurt anybody.",
      "You're strange with that {w}, {addr}.", "Do what you like with the {w}, but do it quietly.", "And what is the {w} for, {addr}?")),
    (("my {w} is (so|too|rather|) {a}.", "this {w} (looks|smells|tastes|feels) {a}.", "your {w} (is|looks) (very|) {a}.", "what a {a} {w}!",
      "everything is {a} (today|here).", "why is the {w} so {a}?", "does my {w} look {a}?", "is your {w} always (this|so) {a}?",
      "I never saw such a {a} {w}.", "the {w} got {a} on the way."),
     ("{A}? I've seen worse.",
      "{A}, yes. What isn't, these days?")),
    (("I'm (so|a bit|feeling|) {a} (today|tonight|).", "are you {a}(, {npc}|)?", "you (look|seem|sound) {a}.", "do I look {a} to you?",
      "we are all {a} after that.", "who's {a} here?", "why so {a}?", "what makes you {a}?", "it is hard not to be {a}.", "were you always this {a}?"),
     ("{A}? No more than yesterday.", "{A}, me? You haven't met my cousin.",
      "{A}? Sit down, it'll pass.")),
    (("how many {ws} (go into|make|are worth) (a|one) {w2}?", "(what|who) is (stronger|wiser|better), a {w} or a {w2}?", "is a {w} the same as a {w2}?",
      "why do {ws} never {v}?", "(can|could) a {w} {v} a {w2}?", "what does a {w} say to a {w2}?", "(the|my) {w} is (married to|arguing with|made of) (a|the) {w2}.",
      "my {w} told me to {v} you.", "when is a {w} not a {w}?", "trade me your {w} for a song.", "I am the {w} and you are the {w2}."),
     ("{Ws}? You talk in riddles, {addr}.", "A {w}? I don't follow you.",
      "{Ws}, {addr}? You've been too long in the sun.")),
    (("(help me|teach me to|show me how to) {v}.", "hold (my|this) {w}.", "lend (us|me) a {w}.", "I (want|need) to {v} (today|somehow|).", "can you {v}?",
      "how does one {v} (here|properly|)?", "give me (something|a reason) to {v}.", "where can a person {v} in peace?", "will you {v} with me?",
      "carry (my|the) {w} for me.", "{v} for us(, {npc}|)!", "make me {v}."),
     ("{V}? There's better help for that than me.",
      "{V}, here? Well, why not.")),
    (("we (found|saw|lost|followed|buried|ate) a {w} (on the way|last night|up there|).", "there's a {w} (outside|on your head|in my boot|behind you).",
      "a {w} (bit|chased|kissed|robbed) (me|us).", "somebody stole my {w}.", "(look|see): a {w}!", "guess what? I have a {w}.", "I dreamed of a {w}.",
      "I once knew a {w} with no {w2}.", "that {w} is following us.", "no {w} today?", "(wanna|want to) (see|hold|smell) my {w}?"),
     ("A {w}? Where was that?", "A {w}, you say. And then?",
      "A {w}? I'd have run.")),
    (("do you ever {v}?", "what do you {v} (for|with)?", "why do people {v}?", "(isn't it|is it) (hard|fun|dull) to {v} all day?", "I {v} too much.",
      "I used to {v} every night.", "my brother can {v} for hours.", "we should {v} more.", "when do you {v}?", "would you rather {v} or {v2}?", "you {v} like my aunt."),
     ("{V}? Who has the time?",)),
)  # fmt: skip

# Words for the slots where no prose is at hand.
DOINGS = (
    "paint juggle whistle dance swim climb sing bury lift carry kiss burn wash feed ride polish steal tickle throw catch count fold"
    " weigh dig sneeze gamble fish cook sew knit shout whisper race wrestle pray sail pickle borrow rescue frighten marry"
).split()  # fmt: skip
STATES = (
    "odd cold clever hungry wet proud brave lonely crooked loud jealous famous lucky sleepy dusty gloomy bright dizzy lazy shy silly"
    " fierce rich dull soft cruel pretty late lost nervous sick sorry grumpy thirsty strange muddy thin"
).split()  # fmt: skip

# To a sentence that nobody could foresee: {W} is one of its words, whatever kind of word it is.
ANY_KIND = (
    "{W}? I'd have to think about that.", "{W}? I've heard stranger things today.", "{W}? Well, well.",
    "{W}? I haven't heard that in a while.", "{W}? If you say so, {addr}.",
)  # fmt: skip
# To anything at all: a question asked back, and a word that asks for more. What a small model says where it holds on
# to nothing is the one line it was taught most often, so that line has to fit everywhere.
BACK = ("Why do you ask, {addr}?", "Why do you ask, {addr}?", "What makes you ask, {addr}?")
MORE = ("Is that so, {addr}? Tell me more.", "Is that so, {addr}? Tell me more.", "Is that so? And then, {addr}?")
# To what is no word of any tongue.
GIBBERISH = (
    "What tongue is that, {addr}?", "I don't follow you, {addr}.", "Was that a word or a sneeze?", "Say that again, and slower.",
    "That makes no sense to me, {addr}.", "Have you been drinking, {addr}?", "I know many words, but not that one.",
)  # fmt: skip

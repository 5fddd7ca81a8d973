// The table: who is here, what was said, and everything that can be done to a line.
const MARKS = [["thumbs_up", "👍", "thumb_up", "Good (Alt+1)"], ["thumbs_down", "👎", "thumb_down", "Not like this (Alt+2)"]];

export default {
  props: { start: Object },
  template: `
<div class="table" @keydown="keys">
  <header class="top">
    <select v-if="s.tables.length > 1" class="field" style="width:auto;max-width:11rem" aria-label="Table" :value="s.table" @change="sit($event.target.value)">
      <option v-for="t in s.tables" :key="t.key" :value="t.key">{{ t.name }}</option>
    </select>
    <button class="scene grow" @click="s.gm && (dialog = 'scene')" :title="s.gm ? 'Change the scene' : ''" id="scene">
      <b class="any" style="white-space:nowrap">{{ place.scene.place || 'No scene yet' }}</b>
      <span>{{ [place.scene.mood, place.scene.reason, place.scene.familiarity].filter(Boolean).join(' · ') || (s.gm ? 'Say where you are' : '') }}</span>
    </button>
    <div class="cast" role="group" aria-label="Who is here">
      <button v-for="n in place.here" :key="n.slug" class="who" :class="{word: n.slug === place.speaker}" :title="n.name + (n.slug === place.speaker ? ' has the word' : ': give the word')" :aria-pressed="n.slug === place.speaker" @click="n.slug === place.speaker ? open('npc', $event) : go({do: 'switch', npc: n.slug})">
        <face-of :f="n"></face-of>
      </button>
      <button class="ib" id="summon" v-if="s.gm" title="Bring somebody in" @click="dialog = 'summon'"><i class="material-icons">person_add</i></button>
    </div>
    <button class="btn wide-only" v-if="s.gm" id="stop" @click="dialog = 'stop'"><i class="material-icons">nights_stay</i>End session</button>
    <button class="ib" v-if="s.gm" id="drawer" :class="{on: drawer}" title="GM drawer (Alt+G)" @click="toggleDrawer"><i class="material-icons">menu_book</i></button>
  </header>
  <main class="talk" ref="talk" @scroll="scrolled" tabindex="-1">
    <div class="in" role="log" aria-live="polite">
      <div class="empty" v-if="!entries.length && lead">
        <face-of :f="lead"></face-of>
        <h2 class="any">{{ lead.name }}</h2><div class="any">{{ lead.about }}</div>
        <p class="greet any" v-if="lead.greeting">“{{ lead.greeting }}”</p>
        <div class="asks"><button class="btn" v-for="q in asks" :key="q" @click="say(q)">{{ q }}</button></div>
      </div>
      <div class="empty" v-else-if="!entries.length"><h2>Nobody is here yet</h2><p>Bring somebody in, then talk.</p>
        <button class="btn main" v-if="s.gm" @click="dialog = 'summon'">Bring somebody in</button></div>
      <template v-for="e in entries" :key="e.id">
        <div v-if="e.note" class="note any">{{ e.text }}</div>
        <div v-else-if="!e.npc" class="said" :class="{aside: e.aside}" :data-turn="e.id">
          <div><div class="by" v-if="manyPeople">{{ e.who }}</div><div class="words any">{{ e.text }}</div></div>
        </div>
        <article v-else class="spoken" :class="{gone: e.gone, last: e.id === lastLine}" :style="{'--hue': e.hue}" :data-line="e.id" :aria-label="e.who">
          <face-of :f="e"></face-of>
          <div class="head"><span class="name any">{{ e.who }}</span>
            <span class="chip" v-if="e.origin === 'gm' || e.origin === 'local'">{{ e.origin === 'gm' ? 'your words' : 'corrected' }}</span>
            <span class="chip bad" v-if="e.gone">not canon</span>
          </div>
          <div v-if="editing !== e.id" class="words any" :class="{caret: e.live && e.text}">{{ e.text }}<span v-if="e.live && !e.text" class="dots">···</span></div>
          <div v-else class="words" data-do="editing">
            <input v-if="anew" class="field" v-model="question" data-do="question" maxlength="1000" aria-label="They asked" placeholder="They asked …" @keydown.enter.exact.prevent="saveEdit(e)" @keydown.esc.stop="editing = 0" style="margin-bottom:6px;font:15px/1.5 var(--sans)">
            <textarea class="field" rows="3" v-model="draft" ref="edit" aria-label="What the NPC should have said" @keydown.enter.exact.prevent="saveEdit(e)" @keydown.esc.stop="editing = 0" style="font:inherit"></textarea>
            <div class="row wrap" style="margin-top:6px;font:15px/1.5 var(--sans)"><button class="btn main" @click="saveEdit(e)">Save</button><button class="btn quiet" @click="editing = 0">Cancel</button><button class="btn quiet" v-if="!anew" data-do="anew" @click="anew = true; $nextTick(inSight)">They asked …</button><span class="small faint">{{ anew ? 'The question in your own words; then both are yours to teach.' : first(e) + ' says so from the next line on.' }}</span></div></div>
          <div class="tools" v-if="!e.live && editing !== e.id">
            <button v-for="[kind, mark, icon, told] in marks" :key="kind" class="ib" :class="{on: mine(e, kind)}" :title="told" :aria-label="told" :aria-pressed="mine(e, kind)" :data-do="kind" @click="react(e, kind, mark)"><i class="material-icons">{{ icon }}</i></button>
            <button class="ib" data-do="regen" title="Another take (Alt+R)" aria-label="Another take" @click="go({do: 'regen', line: e.id})"><i class="material-icons">replay</i></button>
            <span class="takes" :class="{many: e.takes.length > 1}" v-if="e.takes.length > 1"><button class="ib" aria-label="Take before" :disabled="at(e) <= 0" @click="leaf(e, -1)"><i class="material-icons">chevron_left</i></button>{{ at(e) + 1 }}/{{ e.takes.length }}<button class="ib" aria-label="Next take" :disabled="at(e) >= e.takes.length - 1" @click="leaf(e, 1)"><i class="material-icons">chevron_right</i></button></span>
            <button class="ib" v-if="s.gm" data-do="edit" title="Edit in place (Alt+E)" aria-label="Edit" @click="beginEdit(e)"><i class="material-icons">edit</i></button>
            <button class="ib" v-if="s.gm && !e.gone" data-do="retcon" title="Not canon: it never happened" aria-label="Not canon" @click="go({do: 'retcon', line: e.id})"><i class="material-icons">block</i></button>
            <button class="ib" :class="{on: mine(e, 'safety_x')}" data-do="safety" title="✖ Stop: this is not for our table" aria-label="Stop, table safety" @click="react(e, 'safety_x', '✖')"><i class="material-icons">close</i></button>
            <button class="ib" data-do="why" title="Why this line?" aria-label="Why this line" @click="go({do: 'why', line: e.id})"><i class="material-icons">help_outline</i></button>
          </div>
        </article>
      </template>
    </div>
  </main>
  <aside class="drawer" v-if="drawer && s.gm" aria-label="GM drawer">
    <div class="row"><h2 class="grow" style="font:600 17px var(--serif)">Behind the screen</h2><button class="ib" aria-label="Close" @click="toggleDrawer"><i class="material-icons">close</i></button></div>
    <section v-if="lead"><h3>Speak as {{ lead.first }}</h3>
      <textarea class="field" rows="3" id="speak-as" v-model="speakAs" :placeholder="'What ' + lead.first + ' says'" @keydown.enter.exact.prevent="sayAs"></textarea>
      <div class="row" style="margin-top:6px"><button class="btn main" :disabled="!speakAs.trim()" @click="sayAs">Say it</button><button class="btn" :disabled="drafting" @click="drafting = true; go({do: 'draft', npc: place.speaker})" title="Nobody sees it until you say it">{{ drafting ? 'Drafting …' : 'Draft a line' }}</button></div></section>
    <section v-if="lead"><h3>Direction for the next line</h3>
      <form class="row" @submit.prevent="go({do: 'direct', npc: place.speaker, text: direction}); direction = ''"><input class="field" id="direction" v-model="direction" maxlength="200" placeholder="wary, hides the letter"><button class="btn">Set</button></form>
      <div class="small soft any" v-if="place.directions[place.speaker]" style="margin-top:6px">Next: {{ place.directions[place.speaker] }}</div></section>
    <section v-if="lead"><h3>Tell {{ lead.first }} something</h3>
      <form class="row" @submit.prevent="go({do: 'tell', npc: place.speaker, text: fact}); fact = ''"><input class="field" id="tell" v-model="fact" maxlength="500" placeholder="The bridge burnt last night."><button class="btn">Tell</button></form>
      <ul style="margin-top:8px"><li v-for="f in backstage.told" :key="f.id"><span class="grow any small">{{ f.text }}</span><button class="ib" style="width:24px;height:24px" aria-label="Take back" @click="go({do: 'untell', id: f.id, npc: place.speaker})"><i class="material-icons" style="font-size:15px">close</i></button></li></ul></section>
    <section v-if="backstage.secrets.length"><h3>What {{ lead.first }} hides</h3><ul><li v-for="x in backstage.secrets" :key="x.number" :data-secret="x.number"><span class="small any grow">{{ x.text }}<span class="faint" v-if="x.condition"> · {{ x.condition }}</span><span class="faint" v-for="t in x.steps" :key="t"> · {{ t }}</span></span><button class="chip" :class="{warn: x.open}" :title="x.open ? 'Have it kept again' : 'Let it be told'" @click="go({do: 'secret', npc: place.speaker, number: x.number, open: !x.open})">{{ x.open ? 'may be told' : 'kept' }}</button></li></ul></section>
    <section><h3>Make somebody up</h3><form class="row" @submit.prevent="go({do: 'improvise', text: someone}); someone = ''"><input class="field" id="improvise" v-model="someone" maxlength="120" placeholder="Pell, nervous dockhand"><button class="btn">Enter</button></form>
      <div class="small" v-if="backstage.improvised" style="margin-top:6px"><button class="btn quiet" @click="go({do: 'keep_npc', npc: place.speaker})">Keep {{ lead.first }} as a draft sheet</button></div></section>
    <section><h3>Dice</h3><form class="row" @submit.prevent="roll(dice)"><input class="field" id="dice" v-model="dice" maxlength="100" placeholder="1d20+3"><button class="btn">Roll</button></form>
      <div class="row wrap" style="margin-top:6px"><button class="chip" v-for="d in ['1d20', '2d6', '1d100']" :key="d" @click="roll(d)">{{ d }}</button></div></section>
    <section class="row wrap"><button class="btn" @click="dialog = 'stop'"><i class="material-icons">nights_stay</i>End session</button><button class="btn quiet" v-if="lead" @click="go({do: 'dismiss', npc: place.speaker})">Send {{ lead.first }} away</button></section>
  </aside>
  <footer class="composer"><div class="in">
    <div class="box">
      <button class="as" @click="open('as', $event)" :title="'You speak as ' + me.name" aria-label="Who speaks"><face-of :f="me" tiny></face-of><i class="material-icons faint" style="font-size:15px" v-if="s.gm">expand_more</i></button>
      <textarea ref="say" id="say" rows="1" v-model="text" :placeholder="lead ? 'Say something to ' + lead.first : 'Say something'" aria-label="What you say" maxlength="4000" @input="grow" @keydown.enter.exact="enter" @keydown.up="recall"></textarea>
      <button v-if="speaking" class="go stop" title="Hush (Esc)" aria-label="Hush" @click="go({do: 'hush'})"><i class="material-icons">pan_tool</i></button>
      <button class="go" id="send" aria-label="Say it" :disabled="!text.trim()" @click="say()"><i class="material-icons">arrow_upward</i></button>
    </div>
    <div class="hint"><span v-if="s.elsewhere">Said in the channel, as the GM; your NPCs may learn from it.</span><span v-else>Stays on this machine; your NPCs may learn from it.</span><span><kbd>Enter</kbd> say · <kbd>Esc</kbd> hush · <kbd>Alt</kbd>+<kbd>1</kbd><kbd>2</kbd><kbd>R</kbd><kbd>E</kbd> the last line</span></div>
  </div></footer>
  <div class="menu" v-if="menu === 'as'" :style="at_">
    <button v-for="p in people" :key="p.key" @click="become(p)"><face-of :f="p" tiny></face-of><span class="grow any">{{ p.name }}</span><span class="chip" v-if="p.gm">GM</span></button>
    <form class="row" style="padding:6px" v-if="s.gm" @submit.prevent="newPlayer"><input class="field" v-model="player" maxlength="40" placeholder="A player's name" aria-label="A player's name"><button class="btn">Add</button></form>
  </div>
  <div class="menu" v-if="menu === 'npc'" :style="at_"><button @click="menu = ''; go({do: 'dismiss', npc: place.speaker})"><i class="material-icons">logout</i>Send {{ lead && lead.first }} away</button></div>
  <div class="veil" v-if="dialog" @click.self="dialog = ''" @keydown.esc.stop="dialog = ''">
    <div class="dialog" role="dialog" aria-modal="true" ref="dialog" tabindex="-1">
      <template v-if="dialog === 'summon'"><h2>Who comes in?</h2><input class="field" v-model="search" placeholder="Search" aria-label="Search" style="margin-bottom:10px">
        <div class="pick"><button v-for="n in found" :key="n.slug" :data-npc="n.slug" @click="dialog = ''; go({do: 'summon', npc: n.slug})"><face-of :f="n"></face-of><span class="grow"><b class="any">{{ n.name }}</b><small class="any">{{ n.about }}</small></span></button></div></template>
      <form v-if="dialog === 'scene'" class="col" @submit.prevent="dialog = ''; go({do: 'scene', scene: newScene})"><h2>A new scene</h2>
        <label v-for="[k, told, eg] in sceneFields" :key="k"><span class="label">{{ told }}</span><input class="field" maxlength="200" :id="'scene-' + k" v-model="newScene[k]" :placeholder="eg"></label>
        <div class="row" style="margin-top:8px"><button class="btn main">Begin</button><button type="button" class="btn quiet" @click="dialog = ''">Cancel</button><span class="small faint">Whoever is here stays.</span></div></form>
      <div v-if="dialog === 'stop'" class="col"><h2>The evening is over</h2><p class="soft" style="margin:0 0 6px">{{ s.learns ? 'When should your NPCs learn from it?' : 'Training is not installed here (make learning); a wish for a night is kept.' }}</p>
        <button class="btn main" id="learn-now" @click="dialog = ''; go({do: 'stop', when: 'now'})">Learn now</button><button class="btn" @click="dialog = ''; go({do: 'stop', when: 'tonight'})">Tonight, at the usual hour</button><button class="btn quiet" @click="dialog = ''; go({do: 'stop', when: 'skip'})">Not from this one</button></div>
      <div v-if="dialog === 'why'"><h2>Why this line</h2><p class="any" style="font:16px/1.5 var(--serif)">“{{ why.text }}”</p>
        <span class="label">At hand when it was said</span><p class="small soft" v-if="!why.facts.length">Nothing of the sheet matched the question.</p>
        <ul style="padding-left:18px;margin:4px 0 14px"><li v-for="f in why.facts" class="small any">{{ f.text }} <span class="faint">({{ f.source }})</span></li></ul>
        <template v-if="why.secrets.length"><span class="label">What it hides, as it stands now</span><ul style="padding-left:18px;margin:4px 0 14px"><li v-for="x in why.secrets" :key="x.number" class="small any">{{ x.text }} <span class="faint">({{ x.open ? 'may be told' : 'kept' }})</span></li></ul></template>
        <table class="plain"><tr v-for="[k, v] in why.rows"><td class="soft">{{ k }}</td><td class="mono any">{{ v }}</td></tr></table></div>
    </div>
  </div>
  <div class="toast any" v-if="toast" role="alert">{{ toast }}</div>
</div>`,
  components: {
    FaceOf: {
      props: { f: Object, tiny: Boolean },
      template: `<img v-if="f.avatar" class="face" :class="{tiny}" :src="f.avatar" alt=""><span v-else class="face" :class="{tiny}" :style="{'--hue': f.hue}" aria-hidden="true">{{ f.initials }}</span>`,
    },
  },
  data() {
    return {
      s: this.start, place: this.start.place, entries: [], text: "", editing: 0, draft: "", anew: false, question: "", drawer: localStorage.drawer === "1" && innerWidth > 1080,
      dialog: "", menu: "", at_: {}, search: "", newScene: {}, toast: "", why: null, speakAs: "", direction: "", fact: "", someone: "",
      dice: "1d20", player: "", me: this.start.me, drafting: false, bottom: true, backstage: this.start.backstage || { told: [], secrets: [] },
      people: this.start.people, marks: MARKS, sceneFields: [["place", "Place", "the Lantern Rest"], ["mood", "Mood", "tense"], ["reason", "Why you are here", "out of the rain"], ["familiarity", "How well you know each other", "strangers"], ["date", "The campaign's date", "the third of Embers"]],
    };
  },
  computed: {
    lead() { return this.place.here.find((n) => n.slug === this.place.speaker); },
    speaking() { return this.entries.some((e) => e.live); },
    lastLine() { const l = this.entries.filter((e) => e.npc && !e.gone); return l.length ? l[l.length - 1].id : 0; },
    manyPeople() { return new Set(this.entries.filter((e) => !e.npc && !e.note).map((e) => e.who)).size > 1; },
    found() { const w = this.search.toLowerCase(); return this.s.everybody.filter((n) => (n.name + n.about + n.slug).toLowerCase().includes(w)); },
    asks() { return this.s.asks[this.place.speaker] || ["Who are you?"]; },
  },
  watch: {
    dialog(now) { if (now === "scene") this.newScene = { ...this.place.scene }; if (now) this.$nextTick(() => (this.$refs.dialog.querySelector("input,button") || this.$refs.dialog).focus()); else this.$refs.say.focus(); },
  },
  mounted() {
    this.number = 0; this.put(this.start.entries); this.down(true); if (innerWidth > 760) this.$refs.say.focus();
    this.outside = (e) => { if (this.menu && !e.target.closest(".menu,.as,.who")) this.menu = ""; };
    document.addEventListener("pointerdown", this.outside);
  },
  unmounted() { document.removeEventListener("pointerdown", this.outside); },
  methods: {
    go(what) { this.$emit("go", { ...what, as: this.me.key }); },
    first(e) { return (this.place.here.find((n) => n.slug === e.npc) || { first: e.who }).first; },
    apply(events) { for (const x of events) this["on_" + x.is](x); this.down(); },
    put(all) { for (const e of all) this.on_entry({ entry: e }); },
    find(id) { return this.entries.find((e) => e.id === id && !e.note); },
    on_entry({ entry }) {
      if (entry.npc && !entry.avatar) entry.avatar = (this.place.here.concat(this.s.everybody).find((n) => n.slug === entry.npc) || {}).avatar;
      const known = this.entries.findIndex((e) => e.id === entry.id && !e.note);
      if (known >= 0) { this.entries.splice(known, 1, entry); return; }
      let at = this.entries.length; while (at > 0 && this.entries[at - 1].id > entry.id) at--;
      this.entries.splice(at, 0, entry);
    },
    on_begun({ id, npc, who }) {
      const known = this.find(id), face = this.s.everybody.find((n) => n.slug === npc) || this.place.here.find((n) => n.slug === npc) || { initials: "?", hue: 0 };
      if (known) { known.live = true; known.text = ""; return; }
      this.on_entry({ entry: { id, npc, who, text: "", live: true, takes: [], votes: {}, gone: false, initials: face.initials, hue: face.hue, avatar: face.avatar } });
    },
    on_piece({ id, text }) { const e = this.find(id); if (e && e.live) e.text += text; },
    on_again() { for (const e of this.entries) if (e.live) e.text = ""; },
    on_gone({ id }) { const e = this.find(id); if (e) this.entries.splice(this.entries.indexOf(e), 1); },
    on_note({ text }) { const last = this.entries[this.entries.length - 1]; this.entries.push({ id: last ? last.id + 0.001 : 0.001, note: true, text }); },
    on_place({ place }) { const other = place.evening !== this.place.evening, word = place.speaker !== this.place.speaker; this.place = place; if (other) this.entries = []; if (this.drawer && (word || other)) this.go({ do: "backstage" }); },
    on_anew({ entries, place, tables }) { this.on_place({ place }); this.s.tables = tables; this.entries = []; this.put(entries); },
    on_backstage(x) { this.backstage = x; },
    on_draft({ text }) { this.drafting = false; if (text) this.speakAs = text; },
    on_people({ people, me }) { this.people = people; this.me = me; },
    on_everybody({ everybody }) { this.s.everybody = everybody; },
    on_why({ why }) { this.why = why; this.dialog = "why"; },
    on_fail({ text }) { this.drafting = false; this.toast = text; clearTimeout(this.fades); this.fades = setTimeout(() => (this.toast = ""), 6000); },
    on_tables({ tables }) { this.s.tables = tables; },
    sit(key) { location.search = "?table=" + encodeURIComponent(key); },
    say(words) { const text = words || this.text; if (!text.trim()) return; this.go({ do: "say", text }); if (!words) { this.text = ""; this.$nextTick(this.grow); } this.down(true); },
    enter(e) { if (e.isComposing || innerWidth <= 760 && "ontouchstart" in window) return; e.preventDefault(); this.say(); },
    recall(e) { if (this.text || !this.s.gm) return; const line = this.find(this.lastLine); if (line) { e.preventDefault(); this.beginEdit(line); } },
    grow() { const t = this.$refs.say; t.style.height = "auto"; t.style.height = t.scrollHeight + "px"; },
    mine(e, kind) { return (e.votes[kind] || []).includes(this.me.id); },
    react(e, kind, mark) { this.go({ do: "react", line: e.id, mark, remove: this.mine(e, kind) }); },
    at(e) { return Math.max(0, e.takes.findIndex((t) => t.number === e.kept)); },
    leaf(e, by) { this.go({ do: "keep", line: e.id, number: e.takes[this.at(e) + by].number }); },
    askedOf(e) { const before = this.entries.slice(0, this.entries.indexOf(e)).filter((x) => !x.npc && !x.note); return before.length ? before[before.length - 1].text : ""; },
    beginEdit(e) { this.editing = e.id; this.draft = e.text; this.question = this.askedOf(e); this.anew = false; this.$nextTick(() => { const box = this.$refs.edit; (Array.isArray(box) ? box[0] : box).focus(); this.inSight(); }); },
    inSight() { const form = this.$el.querySelector("[data-do=editing]"); if (form) form.scrollIntoView({ block: "nearest" }); },
    saveEdit(e) {
      const asked = this.anew && this.question.trim() !== this.askedOf(e) ? this.question.trim() : "";
      if (this.draft.trim() && (asked || this.draft.trim() !== e.text)) this.go({ do: "edit", line: e.id, text: this.draft, asked });
      this.editing = 0; this.$refs.say.focus();
    },
    sayAs() { this.go({ do: "say_as", npc: this.place.speaker, text: this.speakAs }); this.speakAs = ""; },
    roll(dice) { this.go({ do: "roll", dice }); },
    become(p) { this.menu = ""; this.me = p; this.$refs.say.focus(); },
    newPlayer() { if (this.player.trim()) this.go({ do: "sit", name: this.player.trim() }); this.player = ""; this.menu = ""; },
    open(what, e) { const r = e.currentTarget.getBoundingClientRect(); this.menu = this.menu === what ? "" : what; this.at_ = r.top > innerHeight / 2 ? { left: r.left + "px", bottom: innerHeight - r.top + 6 + "px", position: "fixed" } : { right: innerWidth - r.right + "px", top: r.bottom + 6 + "px", position: "fixed" }; },
    toggleDrawer() { this.drawer = !this.drawer; localStorage.drawer = this.drawer ? "1" : "0"; if (this.drawer) this.go({ do: "backstage" }); },
    scrolled() { const t = this.$refs.talk; this.bottom = t.scrollHeight - t.scrollTop - t.clientHeight < 90; },
    down(force) { if (force || this.bottom) this.$nextTick(() => { const t = this.$refs.talk; if (t) t.scrollTop = t.scrollHeight; }); },
    keys(e) {
      if (e.key === "Escape") { if (this.menu) this.menu = ""; else if (this.speaking) this.go({ do: "hush" }); return; }
      if (!e.altKey || e.ctrlKey || e.metaKey) return;
      const line = this.find(this.lastLine), k = e.code;
      if (k === "KeyG" && this.s.gm) this.toggleDrawer();
      else if (line && k === "Digit1") this.react(line, "thumbs_up", "👍");
      else if (line && k === "Digit2") this.react(line, "thumbs_down", "👎");
      else if (line && k === "KeyR") this.go({ do: "regen", line: line.id });
      else if (line && k === "KeyE" && this.s.gm) this.beginEdit(line);
      else return;
      e.preventDefault();
    },
  },
};

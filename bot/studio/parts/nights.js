// Nights: what was learnt, whether it is better, and which voice speaks.
const STATES = { active: ["good", "speaks now"], candidate: ["good", "passed, waits for you"], held: ["warn", "held"], retired: ["", "spoke before"], rolled_back: ["", "rolled back"], blocked: ["bad", "blocked"] };
export default {
  props: { start: Object },
  template: `
<div class="scroll"><div class="wide">
  <div class="title"><h1>Nights</h1><p>What your NPCs learnt, and whether it made them better.</p><span class="grow"></span>
    <button class="btn main" id="start-night" v-if="!s.running" :disabled="!s.learns" :title="s.learns ? '' : 'Training is not installed here; run make learning'" @click="go({do: 'start'})"><i class="material-icons">nights_stay</i>Start a night now</button></div>
  <section class="card" v-if="s.running || s.waiting.length" style="margin-bottom:18px" id="running" aria-live="polite">
    <template v-if="s.running"><div class="row wrap"><b>{{ s.running.name }}</b><span class="chip">{{ s.running.stage }}</span><span class="grow"></span><span class="soft small">about {{ span(s.running.left) }} left</span></div>
      <div class="bar" style="margin:10px 0 12px"><div :style="{width: 100 * s.running.share + '%'}"></div></div>
      <ol class="steps"><li v-for="x in s.running.stages" :key="x.name" :class="x.state">{{ x.name }}</li></ol></template>
    <div v-for="w in s.waiting" class="small soft">{{ w }}</div>
    <details v-if="s.log.length" :open="!!s.running"><summary class="small soft">Log</summary><pre class="mono any log">{{ s.log.join('\\n') }}</pre></details></section>
  <div class="split">
    <nav aria-label="Nights"><div v-for="g in s.npcs" :key="g.npc" style="margin-bottom:18px">
      <div class="row" style="margin-bottom:6px"><span class="face tiny" :style="{'--hue': g.hue}">{{ g.initials }}</span><b class="grow any">{{ g.name }}</b></div>
      <button v-for="n in g.nights" :key="n.id" class="night" :class="{on: n.id === s.chosen}" :data-night="n.id" @click="go({do: 'choose', id: n.id})"><span>{{ n.when }}</span><span class="chip" :class="chip(n)[0]">{{ chip(n)[1] }}</span></button></div>
      <p class="soft" v-if="!s.npcs.length">No night yet. Play, rate and rewrite some lines; from eight lines on that you approve, edit or speak, a night trains a voice.</p></nav>
    <main v-if="s.night">
      <div class="card"><div class="row wrap"><h2 style="font:600 18px var(--serif)" class="grow any">{{ s.night.title }}</h2>
          <button class="btn main" id="promote" v-if="s.night.promotes" @click="go({do: 'promote', adapter: s.night.adapter})">Let this voice speak</button>
          <button class="btn" id="rollback" v-if="s.night.speaks" @click="go({do: 'roll_back', npc: s.night.npc})"><i class="material-icons">undo</i>Roll back</button>
          <button class="btn" id="compare" v-if="s.night.compares" :disabled="comparing" @click="compare"><i class="material-icons">hearing</i>{{ comparing && !pair ? 'Thinking …' : 'Compare blind' }}</button></div>
        <p class="any" style="margin:8px 0 0">{{ s.night.reason }}</p><p class="soft small any" style="margin:6px 0 0">{{ s.night.counts }}</p></div>
      <div class="card" v-if="pair" id="blind" style="margin-top:14px"><div class="asked any">{{ pair.asked }}</div>
        <div class="two"><button v-for="(t, i) in pair.lines" :key="i" class="voice" :data-choice="i" @click="vote(i)"><small class="faint">{{ 'AB'[i] }}</small><span class="any">{{ t }}</span></button></div>
        <div class="row wrap" style="margin-top:10px"><button class="btn quiet" @click="vote(null)">Equally good</button><button class="btn quiet" @click="pair = null; comparing = false">Enough</button><span class="grow"></span><span class="small soft">{{ votes }} votes now</span></div></div>
      <div class="card" v-if="standing" id="standing" style="margin-top:14px">{{ standing }}</div>
      <div class="charts" :style="{display: s.night.curves ? '' : 'none'}"><slot></slot></div>
      <div class="card" v-if="s.night.measures.length" style="margin-top:14px"><h3 style="margin-bottom:8px">Verdict</h3><div class="wrapscroll"><table class="plain" id="verdict"><thead><tr><th>Measure</th><th class="n">Before</th><th class="n">After</th><th class="n">95 % interval</th><th class="n">Control</th><th class="n">n</th><th></th></tr></thead>
        <tbody><tr v-for="m in s.night.measures" :key="m.name"><td class="any">{{ m.name }}</td><td class="n">{{ fix(m.before) }}</td><td class="n"><b>{{ fix(m.after) }}</b></td><td class="n soft">{{ m.low === null ? '–' : fix(m.low) + ' – ' + fix(m.high) }}</td><td class="n soft">{{ m.control === null ? '–' : fix(m.control) }}</td><td class="n soft">{{ m.n }}</td><td><span class="chip" :class="m.passed ? (m.decides ? 'good' : '') : 'bad'">{{ m.passed ? (m.decides ? 'decides' : 'informs') : (m.decides ? 'worse: held' : 'worse, informs') }}</span></td></tr></tbody></table></div>
        <p class="small soft" style="margin:10px 0 0" v-if="s.night.control">{{ s.night.control }}</p></div>
      <div class="card" v-if="s.night.samples.length" style="margin-top:14px"><h3 style="margin-bottom:8px">Before and after</h3>
        <div v-for="x in s.night.samples" class="sample"><div class="asked any">{{ x.asked }}</div><div class="two"><div class="any"><small class="faint">before</small>{{ x.before }}</div><div class="any"><small class="faint">after</small>{{ x.after }}</div></div></div></div>
    </main>
  </div>
  <div class="toast any" v-if="toast" role="alert">{{ toast }}</div>
</div></div>`,
  data() { return { s: this.start, pair: null, comparing: false, votes: 0, standing: "", toast: "" }; },
  mounted() { this.tick = setInterval(() => this.go({ do: "look" }), 2000); }, unmounted() { clearInterval(this.tick); },
  methods: {
    go(x) { this.$emit("go", x); }, fix(x) { return Math.abs(x) >= 100 ? x.toFixed(0) : x.toFixed(Math.abs(x) >= 10 ? 1 : 3); },
    span(s) { return s < 90 ? Math.round(s) + " seconds" : Math.round(s / 60) + " minutes"; },
    chip(n) { return STATES[n.voice] || { running: ["warn", "running"], failed: ["bad", "failed"], abandoned: ["", "given up"], done: ["", "nothing trained"] }[n.state] || ["", n.state]; },
    apply(events) { for (const x of events) this["on_" + x.is](x); },
    on_state({ state }) { if (state.chosen !== this.s.chosen) { this.standing = ""; this.pair = null; this.comparing = false; this.votes = 0; } this.s = state; },
    on_pair(x) { this.pair = x; }, on_standing({ text }) { this.standing = text; },
    on_fail({ text }) { this.comparing = false; this.pair = null; this.toast = text; clearTimeout(this.fades); this.fades = setTimeout(() => (this.toast = ""), 7000); },
    compare() { this.comparing = true; this.pair = null; this.go({ do: "compare", npc: this.s.night.npc }); },
    vote(choice) { this.votes++; this.go({ do: "vote", choice }); this.compare(); },
  },
};

// The review desk: what tonight would learn, one line at a time, by keyboard.
const SAID = { edit: "you rewrote it", gm_line: "you spoke it", thumbs_up: "liked", thumbs_down: "disliked", keep: "this take was kept", vote: "preferred blind", retcon: "not canon", regen: "asked for again", safety_x: "stopped" };
const words = (t) => t.split(/(\s+)/).filter((w) => w);
function diff(a, b) {
  const x = words(a), y = words(b); if (x.length * y.length > 40000) return [["-", a], ["+", b]];
  const n = x.length, m = y.length, t = Array.from({ length: n + 1 }, () => new Uint16Array(m + 1));
  for (let i = n - 1; i >= 0; i--) for (let j = m - 1; j >= 0; j--) t[i][j] = x[i] === y[j] ? t[i + 1][j + 1] + 1 : Math.max(t[i + 1][j], t[i][j + 1]);
  const out = [], put = (s, w) => (out.length && out[out.length - 1][0] === s ? (out[out.length - 1][1] += w) : out.push([s, w]));
  let i = 0, j = 0;
  while (i < n && j < m) { if (x[i] === y[j]) { put("=", x[i++]); j++; } else if (t[i + 1][j] >= t[i][j + 1]) put("-", x[i++]); else put("+", y[j++]); }
  while (i < n) put("-", x[i++]); while (j < m) put("+", y[j++]);
  return out;
}
export default {
  props: { start: Object },
  template: `
<div class="scroll" @keydown="keys" tabindex="-1" ref="all"><div class="wide">
  <div class="title"><h1>Review</h1><p id="counts">{{ s.reading ? 'Reading what the table said …' : outlook }}</p><span class="grow"></span>
    <button class="btn quiet" id="undo" :disabled="!s.undo" @click="go({do: 'undo'})"><i class="material-icons">undo</i>Undo</button></div>
  <p class="small soft any" style="margin:-8px 0 12px" v-for="n in lacking" :key="n.slug">{{ n.name }} does not train yet: {{ n.missing }}.</p>
  <nav class="row tabs" role="tablist"><button v-for="[k, t] in tabs" :key="k" class="tab" :class="{on: tab === k}" role="tab" :aria-selected="tab === k" :id="'tab-' + k" @click="show(k)">{{ t }}</button></nav>

  <section v-if="tab === 'top'">
    <div class="card done" v-if="!current && s.reading"><p class="soft">Reading what the table said …</p></div>
    <div class="card done" v-else-if="!current"><i class="material-icons" style="font-size:34px;color:var(--good)">done_all</i>
      <h2>{{ s.top.length ? 'That was all that needed you' : 'Nothing needs you now' }}</h2><p class="soft">{{ s.counts.learn || s.counts.wait || s.counts.left ? 'The rest is under All rows; the night takes it as it stands.' : 'Play, and rate or rewrite some lines; what the night would learn appears here.' }}</p></div>
    <template v-else>
      <div class="row small soft" style="margin-bottom:8px"><span>{{ done }} of {{ s.top.length }}</span><div class="bar grow"><div :style="{width: 100 * done / s.top.length + '%'}"></div></div><span id="minutes">about {{ minutes }} left</span></div>
      <article class="card big"><row-of :e="current" :mode="mode" :draft="draft" :asked="asked" @asked="asked = $event" @draft="draft = $event" @save="save" @cancel="mode = ''"></row-of>
        <div class="row wrap acts" v-if="!mode"><button class="btn main" id="accept" @click="decide('accept')"><kbd>1</kbd>Accept</button><button class="btn" id="correct" :disabled="!current.turn" @click="correct"><kbd>2</kbd>Correct</button><button class="btn bad" id="reject" @click="decide('reject')"><kbd>3</kbd>Reject</button><span class="grow"></span><button class="btn quiet" @click="skip"><kbd>Space</kbd>Later</button></div></article>
    </template>
  </section>

  <section v-if="tab === 'all'">
    <div class="row wrap" style="margin-bottom:12px"><select class="field" style="width:auto" v-model="f.npc" aria-label="NPC" @change="fetch"><option value="">Everybody</option><option v-for="n in s.npcs" :key="n.slug" :value="n.slug">{{ n.name }}</option></select>
      <select class="field" style="width:auto" v-model="f.what" aria-label="Which rows" @change="fetch" id="what"><option value="">All rows</option><option value="learn">Would be learnt from</option><option value="left">Left out, and why</option><option value="open">Not decided yet</option><option value="decided">Decided by you</option></select>
      <input class="field grow" style="min-width:140px" v-model="f.search" placeholder="Search" aria-label="Search" @input="later"><span class="small soft">{{ page.total }} rows</span></div>
    <div class="row wrap" style="gap:6px;margin:-4px 0 12px" v-if="f.what === 'left'" id="reasons"><span class="chip" v-for="[why, n] in s.reasons" :key="why">{{ n }} × {{ why }}</span></div>
    <article v-for="(e, i) in page.rows" :key="e.key" class="card slim" :class="{at: i === at}" :data-row="e.key" @click="at = i">
      <row-of :e="e" :mode="i === at ? mode : ''" :draft="draft" :asked="asked" @asked="asked = $event" @draft="draft = $event" @save="save" @cancel="mode = ''"></row-of>
      <div class="row side"><button class="ib" :class="{on: e.human === 'accept'}" title="Accept (1)" aria-label="Accept" @click="at = i; decide('accept')"><i class="material-icons">check</i></button><button class="ib" v-if="e.turn" title="Correct (2)" aria-label="Correct" @click.stop="at = i; correct()"><i class="material-icons">edit</i></button><button class="ib" :class="{on: e.human === 'reject'}" title="Reject (3)" aria-label="Reject" @click="at = i; decide('reject')"><i class="material-icons">close</i></button></div>
    </article>
    <div class="row" style="justify-content:center;margin-top:14px" v-if="page.total > page.rows.length"><button class="btn quiet" :disabled="!page.offset" @click="turn(-1)">Before</button><span class="small soft">{{ page.offset + 1 }}–{{ page.offset + page.rows.length }}</span><button class="btn quiet" :disabled="page.offset + page.rows.length >= page.total" @click="turn(1)">Next</button></div>
  </section>

  <section v-if="tab === 'curate'">
    <p class="soft" style="margin-top:0">Draw a question, read the answer, and say whether that is how it should sound. Nobody in the story hears of it.</p>
    <div class="row wrap" style="margin-bottom:12px"><select class="field" style="width:auto" v-model="who" aria-label="NPC"><option v-for="n in s.everybody" :key="n.slug" :value="n.slug">{{ n.name }}</option></select><button class="btn main" id="draw" :disabled="drawing" @click="draw"><i class="material-icons">casino</i>{{ drawing ? 'Thinking …' : 'Draw a question' }}</button><span class="small soft" v-if="taught">{{ taught }} taught in this sitting</span></div>
    <article class="card big" v-if="q"><div class="asked any">{{ q.asked }}</div><div class="line any" v-if="!mode">{{ q.text || '···' }}</div>
      <edit-box v-else :draft="draft" @draft="draft = $event" @save="saveCurated" @cancel="mode = ''"></edit-box>
      <div class="row wrap acts" v-if="q.line && !mode"><button class="btn main" @click="curate('accept')"><kbd>1</kbd>That is it</button><button class="btn" @click="correct"><kbd>2</kbd>Correct</button><button class="btn bad" @click="curate('reject')"><kbd>3</kbd>Not like this</button><span class="grow"></span><button class="btn quiet" @click="draw"><kbd>Space</kbd>Another</button></div></article>
  </section>
  <div class="toast any" v-if="toast" role="alert">{{ toast }}</div>
</div></div>`,
  components: {
    EditBox: { props: { draft: String, asked: String }, emits: ["draft", "asked", "save", "cancel"], mounted() { this.$refs.t.focus(); },
      template: `<div><label v-if="asked !== undefined" style="display:block;margin-bottom:8px"><span class="label">They asked</span><input class="field" :value="asked" data-do="asked" maxlength="1000" @input="$emit('asked', $event.target.value)" @keydown.stop @keydown.enter.prevent="$emit('save')" @keydown.esc="$emit('cancel')"></label><textarea ref="t" class="field" rows="3" style="font:17px/1.55 var(--serif)" :value="draft" aria-label="What it should be" @input="$emit('draft', $event.target.value)" @keydown.stop @keydown.enter.exact.prevent="$emit('save')" @keydown.esc="$emit('cancel')"></textarea><div class="row" style="margin-top:8px"><button class="btn main" @click="$emit('save')">Save</button><button class="btn quiet" @click="$emit('cancel')">Cancel</button></div></div>` },
    RowOf: { props: { e: Object, mode: String, draft: String, asked: String }, emits: ["draft", "asked", "save", "cancel"], computed: { parts() { return this.e.original ? diff(this.e.original, this.e.text) : null; } },
      methods: { said(s) { return SAID[s] || s; } },
      template: `<div class="grow">
        <div class="row wrap" style="gap:6px;margin-bottom:5px"><b class="small any">{{ e.name }}</b><span class="chip">{{ said(e.signal) }}</span><span class="chip" v-for="k in e.kinds" :key="k">{{ k }}</span><span class="chip" :title="e.reason">from {{ e.source }}</span><span class="chip good" v-if="e.human === 'accept'">accepted</span><span class="chip bad" v-else-if="e.human === 'reject'">rejected</span><span class="chip warn" v-else-if="!e.trains">left out</span></div>
        <div class="asked any" v-if="e.asked && !mode">{{ e.asked }}</div>
        <edit-box v-if="mode" :draft="draft" :asked="asked" @asked="$emit('asked', $event)" @draft="$emit('draft', $event)" @save="$emit('save')" @cancel="$emit('cancel')"></edit-box>
        <div v-else class="line any" :class="{not: !e.good}"><template v-if="parts"><template v-for="[s, w] in parts"><ins v-if="s === '+'">{{ w }}</ins><del v-else-if="s === '-'">{{ w }}</del><template v-else>{{ w }}</template></template></template><template v-else>{{ e.text }}</template></div>
        <div class="small why" v-if="e.why"><i class="material-icons" style="font-size:15px">visibility</i>{{ e.why }}</div>
        <div class="small soft" v-if="!e.trains && e.reason">{{ e.reason }}</div></div>` },
  },
  data() { const s = this.start, tabs = [["top", "Worth your time"], ["all", "All rows"], ["curate", "Teach by questions"]], here = location.hash.slice(1);
    return { s, tab: tabs.some(([k]) => k === here) ? here : "top", tabs, f: { npc: "", what: "", search: "" }, page: { rows: [], total: 0, offset: 0 }, at: 0, mode: "", draft: "", asked: "", toast: "", later_: [], who: s.who, q: null, drawing: false, taught: 0 }; },
  created() { this.$options.components.RowOf.components = { EditBox: this.$options.components.EditBox }; },
  mounted() { this.$refs.all.focus({ preventScroll: true }); this.$emit("go", { do: "opened" }); if (this.tab === "all") this.fetch(); },
  computed: {
    open() { return this.s.top.filter((e) => !e.human && !this.later_.includes(e.key)).concat(this.s.top.filter((e) => !e.human && this.later_.includes(e.key))); },
    current() { return this.tab === "top" ? this.open[0] : this.page.rows[this.at]; },
    done() { return this.s.top.length - this.open.length; },
    lacking() { return this.s.reading ? [] : this.s.npcs.filter((n) => !n.trains).slice(0, 4); },
    outlook() {
      const { learn, wait, left } = this.s.counts, lines = (n) => n + (n === 1 ? " line" : " lines");
      const parts = [lines(learn) + " would be learnt from tonight"];
      if (wait) parts.push(wait + (wait === 1 ? " waits for more" : " wait for more"));
      parts.push(left ? left + (left === 1 ? " is" : " are") + " left out" : "none is left out");
      return (learn + wait + left ? parts.join(", ") : "Nothing to learn from yet") + ".";
    },
    minutes() { const m = this.s.minutes; return m < 1 ? "a minute" : Math.round(m) + (Math.round(m) === 1 ? " minute" : " minutes"); },
  },
  methods: {
    go(x) { this.$emit("go", x); }, show(k) { this.tab = k; this.mode = ""; history.replaceState(history.state, "", "#" + k); if (k === "all") this.fetch(); this.$refs.all.focus({ preventScroll: true }); },
    on_state({ state }) { this.s = { ...this.s, ...state }; if (this.tab === "all") this.fetch(false); },
    on_page({ page }) { this.page = page; this.at = Math.min(this.at, Math.max(0, page.rows.length - 1)); },
    on_fail({ text }) { this.drawing = false; this.toast = text; clearTimeout(this.fades); this.fades = setTimeout(() => (this.toast = ""), 6000); },
    on_question(x) { this.q = x; this.drawing = false; },
    apply(events) { for (const x of events) this["on_" + x.is](x); },
    fetch(anew = true) { if (anew !== false) this.at = 0; this.go({ do: "page", ...this.f, offset: anew === false ? this.page.offset : 0 }); },
    later() { clearTimeout(this.typing); this.typing = setTimeout(this.fetch, 200); },
    turn(by) { this.at = 0; this.go({ do: "page", ...this.f, offset: Math.max(0, this.page.offset + by * 50) }); this.$refs.all.scrollTop = 0; },
    decide(verdict) { if (!this.current) return; const e = this.current; e.human = verdict; this.go({ do: "decide", key: e.key, verdict }); if (this.tab === "all") this.at = Math.min(this.at + 1, this.page.rows.length - 1); this.$refs.all.focus({ preventScroll: true }); },
    correct() { const e = this.tab === "curate" ? this.q : this.current; if (!e || this.tab !== "curate" && !e.turn) return; this.draft = e.text; this.asked = e.asked; this.mode = "edit"; },
    save() { const e = this.current; const asked = this.asked.trim() !== e.asked ? this.asked.trim() : ""; if (this.draft.trim() && (asked || this.draft.trim() !== e.text)) { this.go({ do: "correct", key: e.key, text: this.draft, asked }); e.human = "accept"; } this.mode = ""; this.$refs.all.focus({ preventScroll: true }); },
    skip() { if (this.current) this.later_.push(this.current.key); },
    draw() { this.mode = ""; this.drawing = true; this.q = null; this.go({ do: "draw", npc: this.who }); },
    curate(verdict) { this.go({ do: "curate", line: this.q.line, verdict }); this.taught += verdict === "accept"; this.draw(); },
    saveCurated() { if (this.draft.trim()) { this.go({ do: "curate", line: this.q.line, verdict: "edit", text: this.draft }); this.taught++; this.draw(); } this.mode = ""; },
    keys(e) {
      if (e.target.closest("input,textarea,select") || e.ctrlKey || e.metaKey || e.altKey) { if (!((e.ctrlKey || e.metaKey) && e.key === "z" && !e.target.closest("input,textarea"))) return; }
      const k = e.key;
      if (k === "u" || (k === "z" && (e.ctrlKey || e.metaKey))) this.go({ do: "undo" });
      else if (this.tab === "curate") { if (k === " ") this.draw(); else if (this.q && this.q.line && "123".includes(k)) k === "2" ? this.correct() : this.curate(k === "1" ? "accept" : "reject"); else return; }
      else if (k === "1") this.decide("accept"); else if (k === "2") this.correct(); else if (k === "3") this.decide("reject");
      else if (k === " " && this.tab === "top") this.skip();
      else if (this.tab === "all" && (k === "ArrowDown" || k === "j")) this.at = Math.min(this.at + 1, this.page.rows.length - 1);
      else if (this.tab === "all" && (k === "ArrowUp" || k === "k")) this.at = Math.max(this.at - 1, 0);
      else return;
      e.preventDefault();
      if (this.tab === "all") this.$nextTick(() => { const r = this.$el.querySelector(".slim.at"); r && r.scrollIntoView({ block: "nearest" }); });
    },
  },
};

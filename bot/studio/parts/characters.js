// Characters: a sheet with its faults at the line, and the NPC beside it to try it out.
const paint = (line) => {
  if (/^\s*#/.test(line)) return [["c", line]];
  const m = line.match(/^(\s*(?:- )?)([\w .'-]+?)(:)(\s.*|)$/);
  return m ? [["", m[1]], ["k", m[2]], ["", m[3] + m[4]]] : [["", line || "\u200b"]];
};
export default {
  props: { start: Object },
  template: `
<div class="workshop">
  <nav class="list" aria-label="NPCs"><div class="row" style="margin-bottom:10px"><h1 class="grow" style="font:600 20px var(--serif)">Characters</h1><button class="ib" id="new" title="A new sheet" @click="asking = !asking"><i class="material-icons">add</i></button></div>
    <form v-if="asking" class="col" style="margin-bottom:10px" @submit.prevent="go({do: 'new', name: name, kind: kind}); asking = false"><input class="field" v-model="name" maxlength="40" placeholder="Name" aria-label="Name" required><select class="field" v-model="kind" aria-label="Kind"><option v-for="k in s.kinds" :key="k">{{ k }}</option></select><button class="btn main">Begin a sheet</button></form>
    <button v-for="n in s.everybody" :key="n.slug" :class="{on: n.slug === slug}" :data-npc="n.slug" @click="open(n.slug)"><img v-if="n.avatar" class="face tiny" :src="n.avatar" alt=""><span v-else class="face tiny" :style="{'--hue': n.hue}">{{ n.initials }}</span><span class="grow"><span class="any">{{ n.name }}</span><small v-if="n.broken" style="color:var(--bad)">has a fault</small><small v-else-if="n.own">yours</small></span></button>
    <label class="drop" :class="{over}" style="display:block;margin-top:14px" @dragover.prevent="over = true" @dragleave="over = false" @drop.prevent="over = false; take($event.dataTransfer.files)"><i class="material-icons">upload_file</i><br>Drop a character card, lorebook or sheet here (PNG, CHARX, JSON, YAML)<input type="file" id="card" accept=".png,.apng,.json,.charx,.yaml,.yml" style="position:absolute;opacity:0;width:1px;height:1px" @change="take($event.target.files); $event.target.value = ''"></label>
    <div v-if="told.length" class="small" style="margin-top:10px" role="status"><p v-for="t in told" class="any" style="margin:0 0 5px">{{ t }}</p></div></nav>
  <main><template v-if="slug"><div class="row wrap" style="margin-bottom:10px"><b class="grow any">{{ slug }}.yaml</b><span class="chip" :class="faults ? 'bad' : 'good'" id="verdict">{{ faults ? faults + (faults === 1 ? ' fault' : ' faults') : 'no faults' }}</span><span class="chip warn" v-if="warnings">{{ warnings }} to think about</span>
      <details class="exports"><summary class="btn quiet">Export</summary><div class="menu" style="margin-top:4px"><a v-for="[k, t] in [['png', 'Card as PNG'], ['charx', 'Card as CHARX'], ['json', 'Card as JSON']]" :key="k" class="btn quiet" style="display:flex;justify-content:flex-start;color:inherit;text-decoration:none" :href="'/studio/cards/' + slug + '.' + k">{{ t }}</a><a class="btn quiet" style="display:flex;justify-content:flex-start;color:inherit;text-decoration:none" :href="'/studio/cards/' + slug + '.png?secrets=true'">PNG with its secrets</a></div></details>
      <button class="btn main" id="save" :disabled="!!faults || text === saved" @click="go({do: 'save', slug, text})"><kbd style="background:none;color:inherit;border-color:currentColor;opacity:.7">Ctrl S</kbd>Save</button></div>
    <p class="small soft" style="margin:0 0 10px" v-if="!own">This sheet ships with Understudy; saving makes a copy that is yours.</p>
    <div class="editor"><div class="gutter" aria-hidden="true"><b v-for="(l, i) in lines" :key="i" :class="marks[i + 1]" :style="{height: heights[i] ? heights[i] + 'px' : null}">{{ i + 1 }}</b></div><div class="over"><pre aria-hidden="true" ref="pre"><span v-for="(l, i) in lines" :key="i" class="l" :class="marks[i + 1]"><span v-for="[k, t] in paint(l)" :class="k">{{ t }}</span></span></pre><textarea ref="ed" id="sheet" v-model="text" spellcheck="false" aria-label="The sheet" @input="typed" @keydown="keys"></textarea></div></div>
    <div style="margin-top:12px" role="status"><button v-for="r in remarks" :key="r.line + r.message" class="finding" :class="r.level" @click="to(r.line)"><i class="material-icons">{{ r.level === 'fault' ? 'error' : 'lightbulb' }}</i><span class="any"><b>Line {{ r.line }}</b> <span v-if="r.field" class="mono">{{ r.field }}</span> {{ r.message }}</span></button></div></template>
    <div v-else class="empty"><h2>Whose sheet?</h2><p>Choose somebody, begin a new one, or drop a card.</p></div></main>
  <aside aria-label="Try it"><div class="row" style="margin-bottom:4px"><h2 class="grow" style="font:600 17px var(--serif)">Try it</h2><button class="btn quiet" v-if="talk.length" @click="talk = []">Anew</button></div><p class="small soft" style="margin:0 0 12px">Answers from the text as it stands here, saved or not. Nothing is kept.</p>
    <div class="tries"><template v-for="t in talk"><div v-if="t.you" class="you any">{{ t.text }}</div><div v-else class="npc any">{{ t.text || '···' }}</div></template></div>
    <form class="row" style="margin-top:12px" @submit.prevent="attempt(ask)"><input class="field" id="try" v-model="ask" maxlength="500" :disabled="!slug || trying" placeholder="Ask something" aria-label="Ask something"><button class="btn" :disabled="!ask.trim() || trying || !!faults">Ask</button></form>
    <div class="row wrap" style="margin-top:8px"><button class="chip" style="white-space:normal;text-align:left" v-for="q in questions" :key="q" :disabled="trying" @click="attempt(q)">{{ q }}</button></div>
    <template v-if="exam.length"><h3 style="margin:24px 0 8px;font-size:14px">Exam of its newest voice</h3><table class="plain"><tr v-for="m in exam" :key="m.name"><td class="any">{{ m.name }}</td><td class="n">{{ m.before.toFixed(2) }}</td><td class="n"><b>{{ m.after.toFixed(2) }}</b></td><td class="n soft">n {{ m.n }}</td></tr></table><p class="small faint">before, after the night</p></template>
    <p v-else-if="slug" class="small faint" style="margin-top:22px">No exam yet: a night holds one, and <span class="mono">understudy exam {{ slug }}</span> does.</p></aside>
  <div class="toast any" v-if="toast" role="alert">{{ toast }}</div>
</div>`,
  data() { return { s: this.start, slug: "", text: "", saved: "", own: false, remarks: [], exam: [], questions: [], talk: [], ask: "", trying: false, asking: false, name: "", kind: this.start.kinds[0], over: false, told: [], toast: "", heights: [] }; },
  computed: {
    lines() { return this.text.split("\n"); }, faults() { return this.remarks.filter((r) => r.level === "fault").length; }, warnings() { return this.remarks.length - this.faults; },
    marks() { const m = {}; for (const r of this.remarks) if (m[r.line] !== "fault") m[r.line] = r.level; return m; },
  },
  watch: { text() { this.$nextTick(this.measure); } },
  mounted() { if (this.start.slug) this.open(this.start.slug); this.onsize = () => this.measure(); addEventListener("resize", this.onsize); this.leave = (e) => { if (this.text !== this.saved) e.preventDefault(); }; addEventListener("beforeunload", this.leave); },
  unmounted() { removeEventListener("resize", this.onsize); removeEventListener("beforeunload", this.leave); },
  methods: {
    paint, go(x) { this.$emit("go", x); }, apply(events) { for (const x of events) this["on_" + x.is](x); },
    open(slug) { if (this.text !== this.saved && !confirm("Leave the changes to " + this.slug + "?")) return; this.go({ do: "open", slug }); },
    on_sheet(x) { this.slug = x.slug; this.text = this.saved = x.text; this.own = x.own; this.remarks = x.remarks; this.exam = x.exam; this.questions = x.questions; this.talk = []; this.heights = []; },
    on_checked({ text, remarks, questions }) { if (text === this.text) { this.remarks = remarks; if (questions.length) this.questions = questions; } },
    on_saved({ slug, text, everybody }) { this.s.everybody = everybody; if (slug === this.slug) { this.saved = text; this.own = true; } },
    on_everybody({ everybody }) { this.s.everybody = everybody; },
    on_tried({ text, whole }) { const t = this.talk[this.talk.length - 1]; if (t && !t.you) t.text = text; if (whole) this.trying = false; },
    on_fail({ text }) { this.trying = false; this.toast = text; clearTimeout(this.fades); this.fades = setTimeout(() => (this.toast = ""), 7000); },
    typed() { clearTimeout(this.typing); this.typing = setTimeout(() => this.go({ do: "check", slug: this.slug, text: this.text }), 250); },
    measure() { if (this.$refs.pre) this.heights = [...this.$refs.pre.children].map((l) => l.getBoundingClientRect().height); },
    to(line) { const at = this.lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0), t = this.$refs.ed; t.focus(); t.setSelectionRange(at, at + this.lines[line - 1].length); this.$refs.pre.children[line - 1].scrollIntoView({ block: "center" }); },
    keys(e) {
      if ((e.ctrlKey || e.metaKey) && e.key === "s") { e.preventDefault(); if (!this.faults && this.text !== this.saved) this.go({ do: "save", slug: this.slug, text: this.text }); }
      if (e.key === "Tab" && !e.shiftKey) { e.preventDefault(); document.execCommand("insertText", false, "  "); }
    },
    attempt(q) { if (!q.trim() || this.trying) return; const turns = this.talk.map((t) => ({ you: t.you, text: t.text })); this.talk.push({ you: true, text: q }, { you: false, text: "" }); this.ask = ""; this.trying = true; this.go({ do: "try", slug: this.slug, text: this.text, turns, ask: q }); },
    async take(files) {
      for (const file of files) {
        if (file.size > this.s.most) { this.on_fail({ text: file.name + " is larger than " + this.s.most / 1048576 + " MB." }); continue; }
        try { const r = await fetch("/studio/cards", { method: "POST", body: file, headers: { "x-name": encodeURIComponent(file.name) } }), x = await r.json();
          if (!r.ok) this.on_fail({ text: x.detail || x.error || "It was not taken." }); else { this.told = [x.name + " is here.", ...x.notes]; if (x.kind === "npc") this.go({ do: "came", slug: x.slug }); } }
        catch { this.on_fail({ text: "It could not be sent; is Understudy still running?" }); }
      }
    },
  },
};

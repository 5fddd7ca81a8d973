// The machine: is all well, what lies here, who takes part, and a copy of it all.
const CONSENT = { given: "may be learnt from", refused: "never learnt from", unasked: "not asked" };
export default {
  props: { start: Object },
  template: `
<div class="scroll"><div class="wide"><div class="title"><h1>Machine</h1><p>Everything lies on this machine, in <span class="mono any">{{ s.home }}</span></p></div>
<div class="grid2">
  <section class="card"><div class="row"><h3 class="grow" style="margin:0">Doctor</h3><button class="btn quiet" id="look" :disabled="looking" @click="look">{{ looking ? 'Looking …' : 'Look again' }}</button></div>
    <p class="soft small" v-if="looking && !checks.length">Decoding with the model takes some seconds.</p>
    <table class="plain" id="checks"><tr v-for="c in checks" :key="c.name"><td style="width:20px"><i class="material-icons" :style="{fontSize: '17px', color: c.ok ? 'var(--good)' : 'var(--bad)'}">{{ c.ok ? 'check_circle' : 'error' }}</i></td><td>{{ c.name }}</td><td class="soft any">{{ c.found }}</td></tr></table></section>
  <div class="col" style="gap:16px"><section class="card"><h3>Models</h3><table class="plain"><tr v-for="m in s.models" :key="m.path"><td class="any"><b>{{ m.name }}</b><div class="small soft any">{{ [m.repo, m.licence].filter(Boolean).join(' · ') }}</div></td><td class="n soft">{{ size(m.bytes) }}</td><td><span class="chip good" v-if="m.speaks">speaks</span></td></tr></table>
    <p class="small faint" style="margin:10px 0 0"><span class="mono">understudy model pull</span> and <span class="mono">import</span> bring others.</p></section>
  <section class="card"><h3>Sizes</h3><table class="plain"><tr v-for="[n, b] in s.sizes" :key="n"><td>{{ n }}</td><td class="n soft">{{ size(b) }}</td></tr></table>
    <div class="row wrap" style="margin-top:12px"><button class="btn" id="backup" :disabled="busy" @click="go({do: 'backup'})"><i class="material-icons">save</i>Back up the database</button></div><p class="small soft any" v-for="b in s.backups" :key="b" style="margin:8px 0 0">{{ b }}</p></section></div>
  <section class="card" style="grid-column:1/-1"><h3>People and consent</h3><p class="small soft" style="margin:-4px 0 10px">{{ s.channel }}</p><div class="wrapscroll"><table class="plain" id="people"><thead><tr><th>Name</th><th>Key</th><th>Campaign</th><th class="n">Said</th><th>Learning</th><th></th></tr></thead>
    <tr v-for="p in s.people" :key="p.campaign + p.key"><td class="any">{{ p.name }} <span class="chip" v-if="p.role === 'gm'">GM</span></td><td class="mono any">{{ p.key }}</td><td class="any">{{ p.campaign }}</td><td class="n">{{ p.turns }}</td>
      <td><button class="chip" :class="{good: p.consent === 'given', bad: p.consent === 'refused'}" :title="'Change to ' + (p.consent === 'given' ? 'never' : 'may be learnt from')" @click="go({do: 'consent', key: p.key, consent: p.consent === 'given' ? 'refused' : 'given'})">{{ consent[p.consent] }}</button></td>
      <td class="n"><a class="btn quiet" style="color:inherit;text-decoration:none" :href="'/studio/person/' + encodeURIComponent(p.key)">Export</a><button class="btn quiet bad" @click="forgetting = p; sure = ''">Forget</button></td></tr></table></div></section>
  <section class="card" style="grid-column:1/-1"><details><summary><b style="font-size:14px">Settings</b> <span class="small soft">every value, and where it came from</span></summary><div class="wrapscroll" style="margin-top:10px"><table class="plain"><tr v-for="r in s.settings" :key="r.name"><td class="mono">{{ r.name }}</td><td class="mono any">{{ r.value === '' ? '–' : r.value }}</td><td class="soft any">{{ r.origin }}</td></tr></table></div></details></section>
</div>
<div class="veil" v-if="forgetting" @click.self="forgetting = null"><div class="dialog" role="dialog" aria-modal="true"><h2>Forget {{ forgetting.name }}?</h2><p>Everything they said and all that was made of it goes, at once and for good: lines, reactions, rows, datasets; voices that learnt from it are blocked.</p><p class="small soft">{{ s.not_reached }}</p><label><span class="label">Type {{ forgetting.key }} to go on</span><input class="field" v-model="sure" id="sure"></label><div class="row" style="margin-top:14px"><button class="btn bad" :disabled="sure !== forgetting.key" @click="go({do: 'forget', key: forgetting.key}); forgetting = null">Forget for good</button><button class="btn quiet" @click="forgetting = null">Cancel</button></div></div></div>
<div class="toast any" v-if="toast" role="alert">{{ toast }}</div></div></div>`,
  data() { return { s: this.start, checks: [], looking: false, busy: false, forgetting: null, sure: "", toast: "", consent: CONSENT }; },
  mounted() { this.look(); },
  methods: {
    go(x) { this.$emit("go", x); }, look() { this.looking = true; this.go({ do: "look" }); }, apply(events) { for (const x of events) this["on_" + x.is](x); },
    on_checks({ checks }) { this.checks = checks; this.looking = false; }, on_state({ state }) { this.s = state; },
    on_fail({ text }) { this.looking = false; this.say(text); }, on_told({ text }) { this.say(text); },
    say(text) { this.toast = text; clearTimeout(this.fades); this.fades = setTimeout(() => (this.toast = ""), 8000); },
    size(b) { return b > 1e9 ? (b / 1e9).toFixed(1) + " GB" : b > 1e6 ? (b / 1e6).toFixed(1) + " MB" : Math.round(b / 1e3) + " kB"; },
  },
};

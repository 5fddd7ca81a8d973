// The rail: where one can go, and whether it is day or night.
export default {
  props: { rooms: Array, here: String, table: String },
  template: `
<nav class="rail" aria-label="Rooms">
  <a class="mark" href="/"><i class="material-icons">theater_comedy</i>Understudy</a>
  <a v-for="r in rooms" :key="r.to" class="to" :class="{here: r.to === here}" :href="r.to + (table ? '?table=' + encodeURIComponent(table) : '')" :aria-current="r.to === here ? 'page' : null"><i class="material-icons">{{ r.icon }}</i>{{ r.name }}</a>
  <div class="foot"><button class="ib" title="Light or dark" aria-label="Light or dark" id="theme" @click="turn"><i class="material-icons">contrast</i></button><span>on this machine</span></div>
</nav>`,
  methods: { turn() { window.turnTheme(); } },
};

import { start } from '@metronome/sdk';
import { createApp } from 'vue';
import '../../script-tag/style.css';
import App from './app.vue';
import { router } from './router.ts';

// Once for each page load, outside of Vue: no mount, remount or hot reload runs it again.
start({
  endpoint: import.meta.env.VITE_METRONOME_URL,
  app: 'spa-vue',
  // A search is an event of its own, not another view of the catalogue.
  query: false,
});

createApp(App).use(router).mount('#app');

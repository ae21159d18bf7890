import { start } from '@metronome/sdk';
import { mount } from 'svelte';
import '../../script-tag/style.css';
import App from './app.svelte';

// Once for each page load, outside of Svelte: no mount, remount or hot reload runs it again.
start({
  endpoint: import.meta.env.VITE_METRONOME_URL,
  app: 'spa-svelte',
  // A search is an event of its own, not another view of the catalogue.
  query: false,
});

const target = document.querySelector('#app');
if (target) mount(App, { target });

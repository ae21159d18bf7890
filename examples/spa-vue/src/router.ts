import { setItem } from '@metronome/sdk';
import { createRouter, createWebHistory } from 'vue-router';
import CataloguePage from './catalogue-page.vue';
import DatasetPage from './dataset-page.vue';

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', component: CataloguePage },
    { path: '/datasets/:id', component: DatasetPage, props: true },
  ],
});

// Says what the page is about; without it, that is its path. For each navigation, because the SDK
// forgets it when the address changes.
router.afterEach(({ params }, _from, failure) => {
  if (!failure) setItem(String(params.id ?? 'catalogue'));
});

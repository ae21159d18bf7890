import { createRouter } from 'sv-router';
import CataloguePage from './catalogue-page.svelte';
import DatasetPage from './dataset-page.svelte';

export const { navigate, p, route } = createRouter({
  '/': CataloguePage,
  '/datasets/:id': DatasetPage,
});

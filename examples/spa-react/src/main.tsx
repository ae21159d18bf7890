import { start } from '@metronome/sdk';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createBrowserRouter } from 'react-router';
import { RouterProvider } from 'react-router/dom';
import '../../script-tag/style.css';
import { CataloguePage } from './catalogue-page.tsx';
import { DatasetPage } from './dataset-page.tsx';
import { Layout } from './layout.tsx';

// Once for each page load, outside of React: no mount, remount or hot reload runs it again.
start({
  endpoint: import.meta.env.VITE_METRONOME_URL,
  app: 'spa-react',
  // A search is an event of its own, not another view of the catalogue.
  query: false,
});

const router = createBrowserRouter([
  {
    Component: Layout,
    children: [
      { path: '/', Component: CataloguePage },
      { path: '/datasets/:id', Component: DatasetPage },
    ],
  },
]);

const root = document.querySelector('#app');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <RouterProvider router={router} />
    </StrictMode>,
  );
}

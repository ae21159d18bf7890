import { Link, Outlet } from 'react-router';

export const Layout = () => (
  <>
    <header>
      <Link to="/">City open data</Link>
    </header>
    <main>
      <Outlet />
    </main>
  </>
);

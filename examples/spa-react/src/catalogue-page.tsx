import { track } from '@metronome/sdk';
import type { SubmitEvent } from 'react';
import { Form, Link, useSearchParams } from 'react-router';
import { searchDatasets } from '../../datasets.ts';
import { useItem } from './use-item.ts';

export const CataloguePage = () => {
  useItem('catalogue');
  const [parameters] = useSearchParams();
  const words = parameters.get('q') ?? '';
  return (
    <>
      <title>City open data</title>
      <h1>City open data</h1>
      <Form role="search" onSubmit={trackSearch}>
        <input key={words} type="search" name="q" aria-label="Words" defaultValue={words} />
        <button type="submit">Search</button>
      </Form>
      <ul className="cards">
        {searchDatasets(words).map(({ id, title, description }) => (
          <li key={id}>
            <h2>
              <Link to={`/datasets/${id}`}>{title}</Link>
            </h2>
            <p>{description}</p>
          </li>
        ))}
      </ul>
    </>
  );
};

// In the handler of the event, not in an effect: effects run again for other reasons.
const trackSearch = ({ currentTarget }: SubmitEvent<HTMLFormElement>): void => {
  const words = new FormData(currentTarget).get('q');
  if (typeof words === 'string') track('search', { words, results: searchDatasets(words).length });
};

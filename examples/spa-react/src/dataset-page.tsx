import { useParams } from 'react-router';
import { findDataset } from '../../datasets.ts';
import { useItem } from './use-item.ts';

export const DatasetPage = () => {
  const { id } = useParams();
  useItem(id);
  const dataset = findDataset(id);
  if (!dataset) return <h1>No such dataset</h1>;
  return (
    <>
      <title>{dataset.title}</title>
      <h1>{dataset.title}</h1>
      <p>{dataset.description}</p>
      <p className="files">
        {dataset.formats.map((format) => (
          // The SDK counts clicks on links to files by itself.
          <a key={format} href={`/${dataset.id}.${format}`} download>
            {format.toUpperCase()}
          </a>
        ))}
      </p>
    </>
  );
};

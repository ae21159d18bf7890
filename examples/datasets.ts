/** The open data of the example applications; the files are those of `script-tag/files`. */
export interface Dataset {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** Each is a file `/<id>.<format>`. */
  readonly formats: readonly string[];
}

const datasets: readonly Dataset[] = [
  {
    id: 'trees',
    title: 'Street trees',
    description: 'Species, height and year of planting of every tree along the streets.',
    formats: ['csv', 'geojson', 'kml'],
  },
  {
    id: 'bicycle-counts',
    title: 'Bicycle counts',
    description: 'Bicycles per hour at twelve counting stations.',
    formats: ['csv', 'json'],
  },
  {
    id: 'air-quality',
    title: 'Air quality',
    description: 'Daily means of nitrogen dioxide and fine dust.',
    formats: ['csv', 'json'],
  },
];

export const findDataset = (id: string | undefined): Dataset | undefined =>
  datasets.find((dataset) => dataset.id === id);

/** Those with the words in their title or description; all for no words. */
export const searchDatasets = (words: string): readonly Dataset[] =>
  datasets.filter(({ title, description }) =>
    `${title} ${description}`.toLowerCase().includes(words.toLowerCase()),
  );

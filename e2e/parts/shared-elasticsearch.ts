import { inject } from 'vitest';

/**
 * The address of the one Elasticsearch that all tests of a run share (a single node, no
 * security): `METRONOME_ELASTICSEARCH_URL`, else one that the first call starts. Each file uses
 * index names of its own and deletes them.
 * @throws Error that says what is missing
 */
export async function sharedElasticsearch(): Promise<string> {
  const configured = process.env['METRONOME_ELASTICSEARCH_URL'];
  if (configured) return configured;
  const response = await fetch(inject('partsUrl'));
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

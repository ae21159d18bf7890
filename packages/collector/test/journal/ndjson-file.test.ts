import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NdjsonFile } from '../../src/journal/ndjson-file.ts';
import { nodeDisk } from '../../src/journal/node-disk.ts';
import { temporaryFolder } from './open.ts';
import { SimulatedDisk } from './simulated-disk.ts';

it('keeps its lines, and is made when it is missing', async () => {
  const path = join(await temporaryFolder(), 'file');
  const { file, lines } = await NdjsonFile.open(nodeDisk, path);
  expect(lines).toEqual([]);
  await file.append(['1', '2']);
  await file.append(['"ä"']);
  await file.close();
  expect(await NdjsonFile.read(nodeDisk, path)).toEqual(['1', '2', '"ä"']);
  expect(await NdjsonFile.read(nodeDisk, `${path}-missing`)).toEqual([]);
});

it.each([
  ['a line without its end', '1\n2\n{"thr'],
  ['sectors that were never written', '1\n2\n{"three":"\0\0\0\0"}\n4\n'],
])('cuts %s', async (_, content) => {
  const path = join(await temporaryFolder(), 'file');
  await writeFile(path, content);
  expect(await NdjsonFile.read(nodeDisk, path)).toEqual(['1', '2']);
  expect(await readFile(path, 'utf8')).toBe(content);
  const { file, lines } = await NdjsonFile.open(nodeDisk, path);
  expect(lines).toEqual(['1', '2']);
  await file.append(['3']);
  await file.close();
  expect(await readFile(path, 'utf8')).toBe('1\n2\n3\n');
});

it('cuts what a failed addition left before the next', async () => {
  const disk = new SimulatedDisk();
  const { file } = await NdjsonFile.open(disk.mount(), '/file');
  await file.append(['1']);
  disk.failAfter(0, 1, 'EIO', 0.9);
  await expect(file.append(['"two"'])).rejects.toThrow('EIO');
  await file.append(['3']);
  expect(disk.file('/file').toString()).toBe('1\n3\n');
});

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const git = ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'];
const pages = execFileSync('git', git, { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');

/** Targets of Markdown links that stay in the repository. */
function relativeLinks(page: string): string[] {
  const links = readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\(([^)\s]+)\)/gu);
  return [...links].map(([, target = '']) => target).filter((target) => !/^(\w+:|#)/u.test(target));
}

test.each(pages.filter((page) => existsSync(join(ROOT, page))))(
  'links of %s lead somewhere',
  (page) => {
    const broken = relativeLinks(page).filter((target) => {
      const [path = ''] = target.split('#');
      return !existsSync(join(ROOT, dirname(page), path));
    });
    expect(broken).toEqual([]);
  },
);

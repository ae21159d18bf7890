// vue-tsc takes the TypeScript that is installed beside it; it needs one that is written in
// JavaScript, as the versions before 7 are.
import { fileURLToPath } from 'node:url';
import { run } from 'vue-tsc';

run(fileURLToPath(import.meta.resolve('typescript/lib/tsc.js')));

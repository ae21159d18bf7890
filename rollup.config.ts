import type { RollupOptions } from 'rollup';

const config: RollupOptions[] = [];
export default config;

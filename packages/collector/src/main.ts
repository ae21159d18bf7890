#!/usr/bin/env node
import './thread-pool.ts';
import './heap.ts';
import { runCli } from './cli/cli.ts';

process.exitCode = await runCli(process.argv.slice(2));

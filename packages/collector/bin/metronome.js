#!/usr/bin/env node
// A file that is there before the first build: npm links no other into node_modules/.bin.
import '../dist/main.js';

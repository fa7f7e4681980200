#!/usr/bin/env node
import './cli/lean-start.ts';

// Imported only now: what it loads is to profit from the line above.
const { runCli } = await import('./cli/index.ts');
process.exitCode = await runCli(process.argv);

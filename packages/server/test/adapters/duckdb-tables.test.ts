import { createDuckDbTables } from '../../src/adapters/duckdb/index.ts';
import { tableEngineSuite } from '../ports/table-engine.suite.ts';

tableEngineSuite('DuckDB', createDuckDbTables({ threads: 2 }));

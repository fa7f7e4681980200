import { BinnacleError, invalid } from '../kernel/index.ts';
import type { AliasGuard } from './alias-guard.port.ts';
import type { Lookups } from './lookups.ts';
import type { RegistryStore } from './registry-store.port.ts';
import type { GateReport } from './types.ts';
import { checkNewAlias } from './validation.ts';

/** Times that the gates run anew because someone else moved the alias while they ran. */
const MAX_ATTEMPTS = 10;

/**
 * Points an alias at a version. A guarded alias runs the gates first: a failed one throws `invalid` (code `gate_failed`, `details.report`) and is recorded;
 * with `force` and a reason the alias moves all the same, and the report says so.
 */
export function createAliasMover({ store, guard, lookups }: { store: RegistryStore; guard: AliasGuard; lookups: Lookups }) {
  const { getModel, getVersion } = lookups;
  return async function setAlias(request: {
    model: string;
    alias: string;
    version: number;
    force?: boolean;
    reason?: string | undefined;
  }): Promise<GateReport | null> {
    const { model, alias, version } = request;
    checkNewAlias(alias);
    const reason = request.reason?.trim() || null;
    if (request.force === true && reason === null) throw invalid('reason_required', 'A forced alias needs a reason, which is recorded with the gate report.');
    for (let attempt = 1; ; attempt++) {
      await getVersion(model, version);
      const { aliases } = await getModel(model);
      const previous = Object.hasOwn(aliases, alias) ? (aliases[alias] ?? null) : null;
      // Asked twice, done once: a retried request finds the alias where it wanted it.
      if (previous === version) return null;
      let report = await guard.check({ model, version, alias, previous });
      if (report !== null && !report.passed) {
        if (request.force !== true) {
          await store.addGateReport(report);
          throw gateFailed(report);
        }
        report = { ...report, forced: true, reason };
      }
      try {
        // Only gates compare with what the alias was at; without them the last one wins, as in MLflow.
        await store.moveAlias({ model, alias, version, expected: report === null ? undefined : previous, report });
        return report;
      } catch (error) {
        // Someone else moved it while the gates ran; they compared with what is no longer the champion.
        if (!(error instanceof BinnacleError && error.code === 'alias_moved_meanwhile') || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  };
}

function gateFailed(report: GateReport): BinnacleError {
  const failed = report.results.filter(({ passed }) => !passed);
  const names = failed.map(({ gate }) => `'${gate}'`).join(', ');
  return invalid(
    'gate_failed',
    `The alias ${report.alias} of ${report.model} was not moved to version ${report.version}: ${failed.length === 1 ? 'the gate' : 'the gates'} ${names} failed. ${failed.map(({ gate, message }) => `${gate}: ${message}`).join(' ')}`,
    { details: { report } },
  );
}

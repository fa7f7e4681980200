import { z } from 'zod';
import { invalid } from '../../kernel/index.ts';
import { type NumericLayout, numericLayout } from '../profile/index.ts';

const Missing = z.strictObject({
  share: z.number().min(0).max(1).describe('Share of rows without a value (null or NaN).'),
  std: z.number().min(0).describe('Standard deviation of that share over ten consecutive parts of the training data.'),
});
const NumericBaseline = z.strictObject({
  name: z.string(),
  kind: z.literal('numeric'),
  rows: z.number().int().min(0),
  missing: Missing,
  mean: z.number(),
  std: z.number().min(0),
  min: z.number(),
  max: z.number(),
  edges: z.array(z.number()).min(2).max(129).describe('Rising. Bin 0 is below edges[0], bin i is [edges[i-1], edges[i]), the last is from the last edge up.'),
  counts: z.array(z.number().min(0)).describe('One more than edges.'),
  means: z.array(z.number().nullable()).describe('Mean of the values of each bin, null for an empty one.'),
});
const CategoricalBaseline = z.strictObject({
  name: z.string(),
  kind: z.literal('categorical'),
  rows: z.number().int().min(0),
  missing: Missing,
  categories: z.array(z.strictObject({ value: z.string(), count: z.number().min(0) })).max(1000),
  other: z.number().min(0).describe('Rows of categories beyond the 1,000 most frequent.'),
  distinct: z.number().int().min(0),
  singletons: z.number().int().min(0).describe('Categories seen exactly once: their share estimates how many strangers to expect (Good-Turing).'),
});
const FeatureBaseline = z.discriminatedUnion('kind', [NumericBaseline, CategoricalBaseline]);

/** What a model's features and outputs looked like in training; `binnacle/profile.json` in a package, see docs/training-profile.md. */
export const TrainingProfile = z.strictObject({
  format: z.literal('binnacle-training-profile'),
  version: z.literal(1),
  source: z.enum(['training-data', 'package', 'first-window']).default('package'),
  detail: z.string().default(''),
  rows: z.number().int().min(1),
  createdAt: z.number().int().default(0),
  features: z.array(FeatureBaseline),
  outputs: z.array(FeatureBaseline).default([]).describe('`prediction` and `score`, as the model gave them on the training rows.'),
});
export type TrainingProfile = z.infer<typeof TrainingProfile>;
export type FeatureBaseline = z.infer<typeof FeatureBaseline>;
export type NumericBaseline = z.infer<typeof NumericBaseline>;
export type CategoricalBaseline = z.infer<typeof CategoricalBaseline>;

/** Checks a profile that a package brings. Throws `invalid` (training_profile_invalid) that names the place. */
export function parseTrainingProfile(data: unknown, where: string): TrainingProfile {
  const parsed = TrainingProfile.safeParse(data);
  const bad = (at: string, problem: string) =>
    invalid(
      'training_profile_invalid',
      `${where}: ${at}: ${problem}. The format is in docs/training-profile.md; without the file, Binnacle computes the profile from the training data.`,
    );
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw bad(issue?.path.join('.') || 'the file', issue?.message ?? 'does not have the expected form');
  }
  const all: [string, FeatureBaseline[]][] = [
    ['features', parsed.data.features],
    ['outputs', parsed.data.outputs],
  ];
  for (const [group, list] of all) {
    for (const [i, feature] of list.entries()) {
      if (list.findIndex(({ name }) => name === feature.name) !== i) throw bad(`${group}.${i}.name`, `"${feature.name}" comes twice`);
      if (feature.kind !== 'numeric') continue;
      if (feature.counts.length !== feature.edges.length + 1 || feature.means.length !== feature.counts.length)
        throw bad(`${group}.${i}`, `${feature.edges.length} edges make ${feature.edges.length + 1} counts and means`);
      if (feature.edges.some((edge, k) => k > 0 && edge <= (feature.edges[k - 1] as number))) throw bad(`${group}.${i}.edges`, 'must rise');
    }
  }
  return parsed.data;
}

const layouts = new WeakMap<NumericBaseline, NumericLayout>();
/** The bins that live values of this feature are counted on. */
export function layoutOf(baseline: NumericBaseline): NumericLayout {
  const known = layouts.get(baseline) ?? numericLayout(baseline.edges, baseline.mean);
  layouts.set(baseline, known);
  return known;
}

const sets = new WeakMap<CategoricalBaseline, ReadonlySet<string>>();
export function categoriesOf(baseline: CategoricalBaseline): ReadonlySet<string> {
  const known = sets.get(baseline) ?? new Set(baseline.categories.map(({ value }) => value));
  sets.set(baseline, known);
  return known;
}

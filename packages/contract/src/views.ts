import { z } from 'zod';
import { Timestamp } from './common.ts';
import { operation } from './operation.ts';

export const ViewName = z.string().min(1).max(200);
/** What a page keeps in its address, such as filter and columns. A page leaves aside what it does not know. */
export const ViewState = z.record(z.string(), z.unknown());

/** The state of the runs table or of a comparison, kept under a name in an experiment. */
export const SavedView = z.object({
  experimentId: z.string(),
  name: ViewName,
  page: z.enum(['runs', 'compare']),
  state: ViewState,
  isDefault: z.boolean().describe('The runs page of the experiment opens with it.'),
  revision: z.number().int().describe('Counts the changes, from 1.'),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type SavedView = z.infer<typeof SavedView>;

const ofExperiment = z.object({ experimentId: z.string() });
const ofView = z.object({ experimentId: z.string(), view: ViewName });

export const viewOperations = {
  listViews: operation({
    method: 'GET',
    path: '/experiments/{experimentId}/views',
    tag: 'tracking',
    summary: 'The saved views of an experiment, by name.',
    params: ofExperiment,
    response: z.object({ views: z.array(SavedView) }),
  }),
  putView: operation({
    method: 'PUT',
    path: '/experiments/{experimentId}/views/{view}',
    tag: 'tracking',
    summary: 'Save a view under a name, a new one or over the old one.',
    params: ofView,
    body: z.strictObject({
      page: z.enum(['runs', 'compare']).default('runs'),
      state: ViewState,
      revision: z
        .number()
        .int()
        .min(0)
        .optional()
        .describe('The revision that is replaced, 0 for none; another one is refused with view_changed. Absent: whatever is there.'),
    }),
    response: SavedView,
  }),
  updateView: operation({
    method: 'PATCH',
    path: '/experiments/{experimentId}/views/{view}',
    tag: 'tracking',
    summary: "Rename a view, or make it the experiment's default or no longer that.",
    params: ofView,
    body: z.strictObject({ name: ViewName.optional(), isDefault: z.boolean().optional() }),
    response: SavedView,
  }),
  deleteView: operation({
    method: 'DELETE',
    path: '/experiments/{experimentId}/views/{view}',
    tag: 'tracking',
    summary: 'Delete a view. One that is not there is no error.',
    params: ofView,
    response: z.object({ deleted: z.boolean() }),
  }),
};

import type { ModelRecord, RegistryService, VersionRecord } from '../../registry/index.ts';
import { invalid } from '../../kernel/index.ts';
import { missingValue } from '../../tracking/index.ts';
import { type Fields, maxResults } from './fields.ts';
import type { MlflowRoute } from './routes.ts';

const list = (tags: Record<string, string>) => Object.entries(tags).map(([key, value]) => ({ key, value }));
const fromList = (fields: Fields) => Object.fromEntries(fields.keyValues('tags').map(({ key, value }) => [key, value]));

const versionJson = (version: VersionRecord) => ({
  name: version.model,
  version: String(version.version),
  creation_timestamp: version.createdAt,
  last_updated_timestamp: version.updatedAt,
  current_stage: version.stage,
  description: version.description,
  source: version.source,
  run_id: version.runId ?? '',
  run_link: version.runLink ?? '',
  status: 'READY',
  status_message: version.statusMessage,
  tags: list(version.tags),
  aliases: version.aliases,
  ...(version.loggedModelId === null ? {} : { model_id: version.loggedModelId }),
});

const modelJson = (model: ModelRecord, latest: VersionRecord[]) => ({
  name: model.name,
  creation_timestamp: model.createdAt,
  last_updated_timestamp: model.updatedAt,
  description: model.description,
  latest_versions: latest.map(versionJson),
  tags: list(model.tags),
  aliases: Object.entries(model.aliases).map(([alias, version]) => ({ alias, version: String(version) })),
});

/** Version numbers come as strings, from some clients as numbers. */
function versionOf(fields: Fields): number {
  if (!fields.has('version')) throw missingValue('version');
  let number: number | undefined;
  try {
    number = fields.int('version');
  } catch {
    throw invalid('invalid_parameter', `Parameter 'version' must be an integer, got '${fields.scalarText('version')}'.`);
  }
  // Zero and below are numbers that no version has, which the registry says in its own words.
  return number ?? 0;
}

const search = (fields: Fields, defaultLimit: number, maxLimit: number) => ({
  filter: fields.string('filter') ?? '',
  orderBy: fields.strings('order_by') ?? [],
  limit: maxResults(fields, defaultLimit, maxLimit),
  pageToken: fields.string('page_token'),
});

/** MLflow's model registry: `registered-models/*` and `model-versions/*`. */
export function registryRoutes({ registry }: { registry: RegistryService }): MlflowRoute[] {
  const withLatest = async (model: ModelRecord) => modelJson(model, (await registry.latestVersions([model.name]))[model.name] ?? []);
  const both = (path: string, handler: MlflowRoute['handler']): MlflowRoute[] => (['GET', 'POST'] as const).map((method) => ({ method, path, handler }));
  return [
    {
      method: 'POST',
      path: 'registered-models/create',
      handler: async (fields) => {
        const tags = fromList(fields);
        const created = await registry.createModel({ name: fields.requiredString('name'), description: fields.string('description') ?? '', tags });
        return { registered_model: await withLatest(created) };
      },
    },
    {
      method: 'GET',
      path: 'registered-models/get',
      handler: async (fields) => ({ registered_model: await withLatest(await registry.getModel(fields.requiredString('name'))) }),
    },
    {
      method: 'PATCH',
      path: 'registered-models/update',
      handler: async (fields) => {
        const description = fields.string('description');
        return { registered_model: await withLatest(await registry.updateModel(fields.requiredString('name'), { description: description ?? '' })) };
      },
    },
    {
      method: 'POST',
      path: 'registered-models/rename',
      handler: async (fields) => ({
        registered_model: await withLatest(await registry.renameModel(fields.requiredString('name'), fields.requiredString('new_name'))),
      }),
    },
    {
      method: 'DELETE',
      path: 'registered-models/delete',
      handler: async (fields) => {
        await registry.deleteModel(fields.requiredString('name'));
        return {};
      },
    },
    // The R client searches by POST.
    ...both('registered-models/search', async (fields) => {
      const { items, nextPageToken } = await registry.searchModels(search(fields, 100, 1000));
      const latest = await registry.latestVersions(items.map(({ name }) => name));
      return {
        registered_models: items.map((model) => modelJson(model, latest[model.name] ?? [])),
        ...(nextPageToken === undefined ? {} : { next_page_token: nextPageToken }),
      };
    }),
    ...both('registered-models/get-latest-versions', async (fields) => {
      const name = fields.requiredString('name');
      await registry.getModel(name);
      const latest = await registry.latestVersions([name], fields.strings('stages') ?? []);
      return { model_versions: (latest[name] ?? []).map(versionJson) };
    }),
    {
      method: 'POST',
      path: 'registered-models/set-tag',
      handler: async (fields) => {
        await registry.updateModel(fields.requiredString('name'), { tags: { [fields.requiredString('key')]: fields.scalarText('value') } });
        return {};
      },
    },
    {
      method: 'DELETE',
      path: 'registered-models/delete-tag',
      handler: async (fields) => {
        await registry.deleteModelTag(fields.requiredString('name'), fields.requiredString('key'));
        return {};
      },
    },
    {
      method: 'POST',
      path: 'registered-models/alias',
      handler: async (fields) => {
        await registry.setAlias({ model: fields.requiredString('name'), alias: fields.requiredString('alias'), version: versionOf(fields) });
        return {};
      },
    },
    {
      method: 'GET',
      path: 'registered-models/alias',
      handler: async (fields) => ({
        model_version: versionJson(await registry.lookup(fields.requiredString('name'), { alias: fields.requiredString('alias') })),
      }),
    },
    {
      method: 'DELETE',
      path: 'registered-models/alias',
      handler: async (fields) => {
        await registry.deleteAlias(fields.requiredString('name'), fields.requiredString('alias'));
        return {};
      },
    },
    {
      method: 'POST',
      path: 'model-versions/create',
      handler: async (fields) => {
        const created = await registry.createVersion({
          model: fields.requiredString('name'),
          source: fields.requiredString('source'),
          runId: fields.string('run_id') ?? null,
          loggedModelId: fields.string('model_id') ?? null,
          runLink: fields.string('run_link') ?? null,
          description: fields.string('description') ?? '',
          tags: fromList(fields),
        });
        return { model_version: versionJson(created) };
      },
    },
    {
      method: 'GET',
      path: 'model-versions/get',
      handler: async (fields) => ({ model_version: versionJson(await registry.getVersion(fields.requiredString('name'), versionOf(fields))) }),
    },
    ...both('model-versions/search', async (fields) => {
      const { items, nextPageToken } = await registry.searchVersions(search(fields, 10_000, 200_000));
      return { model_versions: items.map(versionJson), ...(nextPageToken === undefined ? {} : { next_page_token: nextPageToken }) };
    }),
    {
      method: 'GET',
      path: 'model-versions/get-download-uri',
      handler: async (fields) => ({ artifact_uri: (await registry.getVersion(fields.requiredString('name'), versionOf(fields))).storageUri }),
    },
    {
      method: 'PATCH',
      path: 'model-versions/update',
      handler: async (fields) => ({
        model_version: versionJson(
          await registry.updateVersion(fields.requiredString('name'), versionOf(fields), { description: fields.string('description') ?? '' }),
        ),
      }),
    },
    {
      method: 'POST',
      path: 'model-versions/transition-stage',
      handler: async (fields) => ({
        model_version: versionJson(
          await registry.transitionStage(
            fields.requiredString('name'),
            versionOf(fields),
            fields.requiredString('stage'),
            fields.bool('archive_existing_versions') ?? false,
          ),
        ),
      }),
    },
    {
      method: 'POST',
      path: 'model-versions/set-tag',
      handler: async (fields) => {
        await registry.updateVersion(fields.requiredString('name'), versionOf(fields), {
          tags: { [fields.requiredString('key')]: fields.scalarText('value') },
        });
        return {};
      },
    },
    {
      method: 'DELETE',
      path: 'model-versions/delete-tag',
      handler: async (fields) => {
        await registry.deleteVersionTag(fields.requiredString('name'), versionOf(fields), fields.requiredString('key'));
        return {};
      },
    },
    {
      method: 'DELETE',
      path: 'model-versions/delete',
      handler: async (fields) => {
        await registry.deleteVersion(fields.requiredString('name'), versionOf(fields));
        return {};
      },
    },
  ];
}

import type { Root } from 'protobufjs';
import { type GrpcMethod, serviceMethods } from '../../../http/grpc/index.ts';
import { invalid, unsupported } from '../../../kernel/index.ts';
import type { TfServingCore } from '../core.ts';
import { specOf } from './request.ts';
import type { WireReload, WireStatus } from './wire.ts';

export const MODEL_SERVICE = 'tensorflow.serving.ModelService';
/** ModelVersionStatus.State. */
const STATES = { START: 10, LOADING: 20, AVAILABLE: 30, UNLOADING: 40, END: 50 } as const;
/** tensorflow.error.UNKNOWN */
const UNKNOWN = 2;

/** ModelService over the core. */
export const modelService = (root: Root, core: TfServingCore): Record<string, GrpcMethod> =>
  serviceMethods(root, MODEL_SERVICE, {
    GetModelStatus: {
      kind: 'unary',
      handle: (request: WireStatus) => ({
        model_version_status: core.status(specOf(request.model_spec)).map(({ version, state, error }) => ({
          version,
          state: STATES[state],
          status: { error_code: error === '' ? 0 : UNKNOWN, error_message: error },
        })),
      }),
    },
    HandleReloadConfigRequest: {
      kind: 'unary',
      // A list of folders that replaces all that is served would go past the registry, its gates and its history.
      handle(request: WireReload): object {
        if (request.config?.config !== 'model_config_list')
          throw invalid('invalid_request', 'ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently supported');
        throw unsupported(
          'reload_unsupported',
          'HandleReloadConfigRequest is not supported: models come from the registry and from mounted repositories, not from a list of base paths. Deploy a version (binnacle deploy, or PUT /api/binnacle/v1/endpoints/NAME), move an alias, or load and unload over /v2/repository.',
        );
      },
    },
  });

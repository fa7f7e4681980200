import { type BinnacleError, invalid, type LogControl, type LogLevels, shown, unsupported } from '../../kernel/index.ts';

/** Triton's log settings. */
export interface LogSettings {
  log_file: string;
  log_info: boolean;
  log_warning: boolean;
  log_error: boolean;
  log_verbose_level: number;
  log_format: string;
}

export interface LogSettingsService {
  get(): LogSettings;
  /** Only what is named changes; unknown names are left out, as in Triton. Throws `invalid` or, for the file, `unsupported`. */
  update(settings: Readonly<Record<string, unknown>>): Promise<LogSettings>;
}

const bad = (text: string): BinnacleError => invalid('invalid_log_setting', text);

/** The server's own log, by Triton's names: `log_verbose_level` above 0 lets debug lines through. */
export function createLogSettings(control: LogControl): LogSettingsService {
  const get = (): LogSettings => {
    const { info, warn, error, verbose, iso } = control.levels;
    return {
      log_file: '',
      log_info: info,
      log_warning: warn,
      log_error: error,
      log_verbose_level: verbose,
      log_format: iso ? 'ISO8601' : 'default',
    };
  };
  const boolean = (name: string, value: unknown): boolean => {
    if (typeof value === 'boolean') return value;
    throw bad(`attempt to access JSON non-boolean as boolean ('${name}' is ${shown(value)})`);
  };
  return {
    get,
    async update(settings) {
      const next: Partial<LogLevels> = {};
      for (const [name, value] of Object.entries(settings)) {
        if (name === 'log_file')
          throw unsupported('log_file_fixed', 'log file location can not be updated through network protocol; the log goes to standard error');
        // tritonclient's documentation says log_warnings and log_errors, the server log_warning and log_error.
        else if (name === 'log_info') next.info = boolean(name, value);
        else if (name === 'log_warning' || name === 'log_warnings') next.warn = boolean(name, value);
        else if (name === 'log_error' || name === 'log_errors') next.error = boolean(name, value);
        else if (name === 'log_verbose_level') {
          if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 2 ** 32 - 1)
            throw bad(`attempt to access JSON non-unsigned-integer as unsigned-integer ('log_verbose_level' is ${shown(value)})`);
          next.verbose = value;
        } else if (name === 'log_format') {
          if (value !== 'default' && value !== 'ISO8601')
            throw bad(`invalid argument for --log_format, got: ${typeof value === 'string' ? value : shown(value)}; use default or ISO8601`);
          next.iso = value === 'ISO8601';
        }
      }
      await control.set(next);
      return get();
    },
  };
}

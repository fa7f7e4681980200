import type { Alarm } from '@binnacle/contract';
import { Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { Time } from '../../ui/bits.tsx';
import { formatNumber } from '../../ui/format.ts';

const KINDS: Record<Alarm['kind'], string> = {
  'feature-drift': 'Feature drift',
  'prediction-drift': 'Prediction drift',
  'dataset-drift': 'Dataset drift',
  'missing-values': 'Missing values',
  'unseen-values': 'Unseen values',
};
export const alarmKind = (alarm: Alarm): string => KINDS[alarm.kind];

/** An alarm in one line, leading to the drift map where it was found. */
export function AlarmLine({ alarm, withEndpoint = false }: { alarm: Alarm; withEndpoint?: boolean }) {
  return (
    <Text size="sm" component="div" mb={2} className="inline">
      <Link
        to="/monitoring/$endpoint"
        params={{ endpoint: alarm.endpoint }}
        search={{ tab: 'drift', feature: alarm.feature ?? undefined, window: alarm.lastWindow }}
        className="bn-link"
      >
        {withEndpoint && <>{alarm.endpoint}: </>}
        {alarmKind(alarm)}
        {alarm.feature !== null && (
          <>
            {' '}
            of <strong>{alarm.feature}</strong>
          </>
        )}
      </Link>{' '}
      {formatNumber(alarm.value, 3)} against {formatNumber(alarm.threshold, 3)}, raised <Time at={alarm.raisedAt} ago />
    </Text>
  );
}

import './artifacts.css';
import { Group, Switch, Text } from '@mantine/core';
import { IconPhotoOff } from '@tabler/icons-react';
import { useState } from 'react';
import { Notice } from '../../ui/notice.tsx';
import { type ArtifactRef, artifactUrl } from './use-bytes.ts';

const broken = (
  <Notice tone="warn" icon={<IconPhotoOff size={18} />} title="It cannot be shown" role="alert">
    The browser cannot read this file, or it is no longer there. Download it instead.
  </Notice>
);

/** A picture. SVG too is only ever shown as one, so that it runs no script. */
export function ImageView({ file, plain = false }: { file: ArtifactRef; plain?: boolean }) {
  const [size, setSize] = useState<[number, number]>();
  const [failed, setFailed] = useState(false);
  const [whole, setWhole] = useState(false);
  if (failed) return broken;
  return (
    <>
      <div style={{ overflow: 'auto', maxHeight: '75vh' }} tabIndex={0} role="group" aria-label={file.path}>
        <img
          key={file.path}
          className={whole ? 'bn-picture whole' : 'bn-picture'}
          src={artifactUrl(file)}
          alt={file.path}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => setSize([naturalWidth, naturalHeight])}
          onError={() => setFailed(true)}
        />
      </div>
      {!plain && size !== undefined && size[0] > 0 && (
        <Group gap="md" mt={6}>
          <Text size="xs" c="dimmed">
            {size[0]} × {size[1]}
          </Text>
          <Switch label="Original size" checked={whole} onChange={(e) => setWhole(e.currentTarget.checked)} />
        </Group>
      )}
    </>
  );
}

export function MediaView({ file, kind }: { file: ArtifactRef; kind: 'audio' | 'video' }) {
  const [failed, setFailed] = useState(false);
  if (failed) return broken;
  const Tag = kind;
  return (
    <Tag
      controls
      preload="metadata"
      src={artifactUrl(file)}
      aria-label={file.path}
      style={{ width: '100%', maxHeight: '70vh' }}
      onError={() => setFailed(true)}
    />
  );
}

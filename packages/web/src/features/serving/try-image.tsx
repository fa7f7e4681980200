import { Button, FileButton, Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { IconPhoto, IconPlayerPlay } from '@tabler/icons-react';
import { useState } from 'react';
import { IMAGE_SCALES, type ImageInput, imageRequest, type ImageScale, imageTensor } from '@binnacle/sdk';

/** What a free dimension is given at most. */
const MAX_FREE = 1024;

/** An image from a file, fitted to the model's input, as it will be seen. */
export function TryImage({
  input,
  pending,
  onSend,
}: {
  input: ImageInput;
  pending: boolean;
  onSend: (request: { body: Uint8Array<ArrayBuffer>; headerBytes: number }) => void;
}) {
  const [scale, setScale] = useState<ImageScale>('0–1');
  const [picture, setPicture] = useState<{ url: string; name: string; pixels: ImageData } | undefined>();
  const [problem, setProblem] = useState<string | undefined>();
  const choose = async (file: File | null) => {
    if (file === null) return;
    try {
      setPicture(await fit(file, input));
      setProblem(undefined);
    } catch {
      setProblem(`${file.name} is not an image that this browser can read.`);
    }
  };
  const size = `${input.width ?? 'any'} × ${input.height ?? 'any'}, ${input.channels === 1 ? 'grey' : 'RGB'}, ${input.layout}`;
  return (
    <Stack gap="sm">
      <Text size="xs" c="dimmed">
        Input {input.name}: {size}. The image is scaled to that, in this browser.
      </Text>
      <Group>
        <FileButton onChange={(file) => void choose(file)} accept="image/*">
          {(props) => (
            <Button variant="default" leftSection={<IconPhoto size={15} aria-hidden />} {...props}>
              Choose an image
            </Button>
          )}
        </FileButton>
        {input.datatype === 'FP32' && (
          <SegmentedControl aria-label="Values of the pixels" value={scale} onChange={(v) => setScale(v as ImageScale)} data={[...IMAGE_SCALES]} />
        )}
      </Group>
      {problem !== undefined && (
        <Text size="sm" c="var(--bn-bad)" role="alert">
          {problem}
        </Text>
      )}
      {picture !== undefined && (
        <img
          src={picture.url}
          alt={`${picture.name}, as the model gets it`}
          style={{
            maxWidth: '100%',
            maxHeight: 260,
            minWidth: 96,
            objectFit: 'contain',
            alignSelf: 'start',
            borderRadius: 6,
            imageRendering: picture.pixels.width < 96 ? 'pixelated' : 'auto',
          }}
        />
      )}
      <Group>
        <Button
          leftSection={<IconPlayerPlay size={15} aria-hidden />}
          loading={pending}
          disabled={picture === undefined}
          onClick={() => {
            if (picture === undefined) return;
            const { width, height, data } = picture.pixels;
            onSend(imageRequest(imageTensor(data, width, height, input, scale), width, height, input));
          }}
        >
          Send
        </Button>
      </Group>
    </Stack>
  );
}

async function fit(file: File, input: ImageInput): Promise<{ url: string; name: string; pixels: ImageData }> {
  const bitmap = await createImageBitmap(file);
  const shrink = Math.min(1, MAX_FREE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = input.width ?? Math.max(1, Math.round(bitmap.width * shrink));
  canvas.height = input.height ?? Math.max(1, Math.round(bitmap.height * shrink));
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('no canvas');
  // Transparent parts become white, as on a page.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return { url: canvas.toDataURL(), name: file.name, pixels: context.getImageData(0, 0, canvas.width, canvas.height) };
}

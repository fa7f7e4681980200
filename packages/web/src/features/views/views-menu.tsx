import type { SavedView } from '@binnacle/contract';
import { Badge, Button, Menu, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconBookmark, IconCheck, IconDeviceFloppy, IconLink, IconPencil, IconPlus, IconStar, IconStarOff, IconTrash, IconX } from '@tabler/icons-react';
import { Fragment, useState } from 'react';
import { useApi } from '../../app/api.ts';
import { copyText } from '../../ui/bits.tsx';
import { useAction } from '../use-action.ts';
import { NameDialog } from './name-dialog.tsx';
import { sameState, stateOf, type ViewState } from './state.ts';

/**
 * The saved views of an experiment: choose one, keep what is shown, rename, delete, make one the default, copy a link that holds everything
 * and so works without any view.
 */
export function ViewsMenu({
  experimentId,
  page,
  search,
  current,
  link,
  onOpen,
  onName,
}: {
  experimentId: string;
  page: SavedView['page'];
  search: ViewState;
  /** The name of the view that the page began with. */
  current: string | undefined;
  /** The whole address of what is shown. */
  link: () => string;
  /** Undefined: none. */
  onOpen: (view: SavedView | undefined) => void;
  /** The page is that view now, by name. */
  onName: (name: string | undefined) => void;
}) {
  const list = useApi('listViews', { params: { experimentId } });
  const [dialog, setDialog] = useState<'save' | 'rename' | undefined>();
  const views = list.data?.views ?? [];
  const open = views.find((view) => view.name === current && view.page === page);
  const changed = open !== undefined && !sameState(page, search, open.state);
  const state = stateOf(page, search);
  const put = useAction('putView', {
    done: (view) => `The view ${view.name} is saved.`,
    onSuccess: (view) => {
      setDialog(undefined);
      onName(view.name);
    },
    notifyError: dialog === undefined,
  });
  const update = useAction('updateView', {
    onSuccess: (view) => {
      setDialog(undefined);
      onName(view.name);
    },
    notifyError: dialog === undefined,
  });
  const remove = useAction('deleteView', { done: 'The view is deleted; what it showed stays.', onSuccess: () => onName(undefined), notifyError: true });
  const copy = () =>
    void copyText(link()).then(() => notifications.show({ message: 'The link holds all that is shown, whatever becomes of the view.', color: 'teal' }));
  const of = (kind: SavedView['page']) => views.filter((view) => view.page === kind);

  return (
    <>
      <Menu position="bottom-end" width={300} shadow="md" withInitialFocusPlaceholder={false}>
        <Menu.Target>
          <Button variant="default" leftSection={<IconBookmark size={15} aria-hidden />} maw={280}>
            <span className="clip">{open === undefined ? 'Views' : open.name}</span>
            {changed && (
              <Badge ml={8} size="sm" variant="light" color="yellow">
                changed
              </Badge>
            )}
          </Button>
        </Menu.Target>
        <Menu.Dropdown mah="70dvh" style={{ overflowY: 'auto' }}>
          {(['runs', 'compare'] as const).map((kind) =>
            of(kind).length === 0 ? null : (
              <Fragment key={kind}>
                <Menu.Label>{kind === 'runs' ? 'Views' : 'Comparisons'}</Menu.Label>
                {of(kind).map((view) => (
                  <Menu.Item
                    key={view.name}
                    leftSection={view === open ? <IconCheck size={14} aria-label="open" /> : <span style={{ display: 'inline-block', width: 14 }} />}
                    rightSection={view.isDefault ? <IconStar size={14} aria-label="default" /> : null}
                    onClick={() => onOpen(view)}
                  >
                    <span className="clip" style={{ display: 'block' }} title={view.name}>
                      {view.name}
                    </span>
                  </Menu.Item>
                ))}
              </Fragment>
            ),
          )}
          {views.length === 0 && (
            <Text size="xs" c="dimmed" px="sm" py={6}>
              {list.isPending ? 'Loading' : list.isError ? list.error.detail : 'No saved views yet: set filter, order and columns, then save them.'}
            </Text>
          )}
          <Menu.Divider />
          {open !== undefined && changed && (
            <Menu.Item
              leftSection={<IconDeviceFloppy size={14} aria-hidden />}
              onClick={() => put.mutate({ params: { experimentId, view: open.name }, body: { page, state, revision: open.revision } })}
            >
              Update this view
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconPlus size={14} aria-hidden />} onClick={() => setDialog('save')}>
            Save as …
          </Menu.Item>
          {open !== undefined && (
            <>
              <Menu.Item leftSection={<IconPencil size={14} aria-hidden />} onClick={() => setDialog('rename')}>
                Rename …
              </Menu.Item>
              {page === 'runs' && (
                <Menu.Item
                  leftSection={open.isDefault ? <IconStarOff size={14} aria-hidden /> : <IconStar size={14} aria-hidden />}
                  onClick={() => update.mutate({ params: { experimentId, view: open.name }, body: { isDefault: !open.isDefault } })}
                >
                  {open.isDefault ? 'No longer the default' : 'Set as default for this experiment'}
                </Menu.Item>
              )}
              <Menu.Item
                color="red"
                leftSection={<IconTrash size={14} aria-hidden />}
                onClick={() => remove.mutate({ params: { experimentId, view: open.name } })}
              >
                Delete this view
              </Menu.Item>
            </>
          )}
          <Menu.Item leftSection={<IconX size={14} aria-hidden />} onClick={() => onOpen(undefined)}>
            {page === 'runs' ? 'Show all runs, without a view' : 'Without a view'}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item leftSection={<IconLink size={14} aria-hidden />} onClick={copy}>
            Copy link
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {dialog !== undefined && (
        <NameDialog
          title={dialog === 'save' ? 'Save as a view' : `Rename ${open?.name ?? 'the view'}`}
          start={dialog === 'rename' ? (open?.name ?? '') : ''}
          taken={dialog === 'save' ? views.map((view) => view.name) : []}
          error={dialog === 'save' ? put.error : update.error}
          pending={put.isPending || update.isPending}
          onClose={() => setDialog(undefined)}
          onName={(name, replace) => {
            if (dialog === 'save') put.mutate({ params: { experimentId, view: name }, body: { page, state, ...(replace ? {} : { revision: 0 }) } });
            else if (open !== undefined) update.mutate({ params: { experimentId, view: open.name }, body: { name } });
          }}
        />
      )}
    </>
  );
}

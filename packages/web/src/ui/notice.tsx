import type { ReactNode } from 'react';

/** Something to know before the rest of the page: an error, an alarm, a warning. Calm in both colour schemes. */
export function Notice({ tone, icon, title, children, role }: { tone: 'bad' | 'warn'; icon?: ReactNode; title: string; children: ReactNode; role?: 'alert' }) {
  return (
    <section className="bn-notice" data-tone={tone} {...(role === undefined ? { 'aria-label': title } : { role })}>
      {icon !== undefined && (
        <span className="bn-notice-icon" aria-hidden>
          {icon}
        </span>
      )}
      <div style={{ minWidth: 0, flex: 1 }}>
        <p className="bn-notice-title">{title}</p>
        {children}
      </div>
    </section>
  );
}

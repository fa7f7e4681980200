import type { DatabaseConnection, Driver } from 'kysely';

/** A driver whose one connection is lent already. */
export const driverOf = (connection: DatabaseConnection): Driver => {
  const refuse = async () => {
    throw new Error('The engine begins and ends transactions.');
  };
  return {
    init: async () => {},
    acquireConnection: async () => connection,
    releaseConnection: async () => {},
    beginTransaction: refuse,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
    destroy: async () => {},
  };
};

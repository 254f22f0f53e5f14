/** What must hold of every cell of the table, whatever its words are: the rules that make two sides agree in the end. */
import { describe, expect, it } from '@jest/globals';
import {
  CLOUD_VIEWS,
  type CloudView,
  type ConnectorView,
  HELD_STATES,
  type Settlement,
  settle,
  TOKEN_RELATIONS,
  type TokenRelation,
} from '../../../src/protocol/reconciliation.ts';

interface Cell extends Settlement {
  where: string;
  view: CloudView;
  held: ConnectorView;
  relation: TokenRelation;
}

const cells: Cell[] = CLOUD_VIEWS.flatMap((view) =>
  (['absent', ...HELD_STATES] as const).flatMap((held) =>
    TOKEN_RELATIONS.map((relation) => {
      const where = `${view} × ${held} (${relation})`;
      return { where, view, held, relation, ...settle(view, held, relation) };
    }),
  ),
);
const wrong = (isRight: (cell: Cell) => boolean, of: (cell: Cell) => boolean) =>
  cells.filter((cell) => of(cell) && !isRight(cell)).map(({ where }) => where);

/** Whether the cloud takes this connector for the holder, before or after its part of the cell. */
const isHolder = ({ view, cloud }: Cell) =>
  ['held', 'cancelling', 'committing'].includes(view) || cloud === 'accept' || cloud === 'adopt';

describe('in the reconciliation table', () => {
  it('every cell has an action that exists', () => {
    expect(cells).toHaveLength(CLOUD_VIEWS.length * (HELD_STATES.length + 1) * TOKEN_RELATIONS.length);
    expect(
      wrong(
        ({ cloud }) => cloud !== undefined,
        () => true,
      ),
    ).toEqual([]);
    expect(
      wrong(
        ({ connector }) => connector !== undefined,
        ({ held }) => held !== 'absent',
      ),
    ).toEqual([]);
    expect(
      wrong(
        ({ connector }) => connector === undefined,
        ({ held }) => held === 'absent',
      ),
    ).toEqual([]);
  });

  it('an older token has no effect and changes nothing in the cloud', () => {
    const isIdle = ({ cloud, connector }: Cell) => cloud === 'none' && (connector === 'stop' || connector === 'forget');
    expect(wrong(isIdle, ({ relation, held }) => relation === 'older' && held !== 'absent')).toEqual([]);
  });

  it('a job that is over or unknown changes nothing in the cloud, and goes on nowhere', () => {
    const isIdle = ({ cloud, connector }: Cell) => cloud === 'none' && (connector === 'stop' || connector === 'forget');
    expect(wrong(isIdle, ({ view, held }) => ['over', 'unknown'].includes(view) && held !== 'absent')).toEqual([]);
  });

  it('only the holder is told to go on, to commit or to report', () => {
    const goesOn = ({ connector }: Cell) => connector !== undefined && connector !== 'stop' && connector !== 'forget';
    expect(wrong(isHolder, goesOn)).toEqual([]);
  });

  it('a connector with the grant is told to commit only where the cloud stands behind the grant', () => {
    const standsBehind = ({ view, cloud }: Cell) => view === 'committing' || cloud === 'adopt';
    expect(wrong(standsBehind, ({ connector }) => connector === 'commit')).toEqual([]);
  });

  it('a grant is never followed by a cancel', () => {
    expect(
      wrong(
        ({ connector }) => connector !== 'cancel',
        ({ held }) => held === 'committing',
      ),
    ).toEqual([]);
  });

  it('an end that the cloud has not stored is asked for again, never thrown away', () => {
    const isAsked = ({ connector }: Cell) => connector === 'report';
    const isOwed = (cell: Cell) =>
      (cell.held === 'finishing' || cell.held === 'leftover') &&
      cell.relation !== 'older' &&
      !['unknown', 'over'].includes(cell.view) &&
      !(cell.view === 'elsewhere' && cell.relation === 'same');
    expect(wrong(isAsked, isOwed)).toEqual([]);
  });

  it('a job whose holder has no trace of it waits no longer for that holder', () => {
    const letsGo = ({ cloud }: Cell) => cloud === 'requeue' || cloud === 'failUnknown';
    const isLost = ({ view, held }: Cell) =>
      held === 'absent' && ['offered', 'held', 'cancelling', 'committing'].includes(view);
    expect(wrong(letsGo, isLost)).toEqual([]);
  });
});

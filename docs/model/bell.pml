/* Who sleeps is woken: a door publishes commands, the worker sequences them and commits their events, the
   journaler makes them durable, a reader takes them. All sleep without a time-out: a lost wake is a deadlock,
   which Spin reports as an invalid end state. Every step is one access of shared memory (with the full
   fences between store and load that makes sequential consistency of it).
   Flags leave a rule out:
   NOLOOK     a sleeper does not look again once its flag is up
   NOFLAG     a sleeper looks first and puts its flag up behind
   EARLY      a publisher looks at the flag before it publishes: what a release without a full fence allows
   NOCOMMIT   the worker does not call the readers behind its commit
   NOROOM     the journaler does not call a worker that waits for room
   NC commands, CJ slots of the journal ring */
#ifndef NC
#define NC 3
#endif
#ifndef CJ
#define CJ 1
#endif
#define AWAKE 0
#define CALLED 1
#define ASLEEP 2
#define FOR_D 3
byte P;          /* commands published by the door */
byte J, JT, D;   /* journaled, released, durable */
byte E;          /* events committed: one a command */
byte R;          /* read */
byte w, j, r;    /* the three bells */

/* rouse WORD if it sleeps as HOW; a sleeper blocks until its word is not what it sleeps as */
inline ring(word, how) {
  d_step { if :: word == how -> word = CALLED :: else fi }
}
#ifdef EARLY
#define BEFORE(word, how) ring(word, how)
#define BEHIND(word, how) skip
#else
#define BEFORE(word, how) skip
#define BEHIND(word, how) ring(word, how)
#endif
#ifdef NOLOOK
#define LOOK(found) false
#else
#define LOOK(found) (found)
#endif
/* sleep on WORD as HOW unless FOUND once the flag is up */
#ifdef NOFLAG
#define SLEEP(word, how, found) if :: (found) -> skip :: else -> word = how; word != how; word = AWAKE fi
#else
#define SLEEP(word, how, found) word = how; if :: LOOK(found) -> skip :: !(LOOK(found)) -> word != how fi; word = AWAKE
#endif
#define VISIBLE (E > R && D > R)

active proctype door() {
  do
  :: P < NC -> BEFORE(w, ASLEEP); P++; BEHIND(w, ASLEEP)
  :: else -> break
  od
}

active proctype worker() {
  byte taken;
  do
  :: taken == NC -> break
  :: else ->
     if
     :: J - JT < CJ ->
        if
        :: P > taken -> taken++; BEFORE(j, ASLEEP); J++; BEHIND(j, ASLEEP); E++;
#ifndef NOCOMMIT
           if :: D >= E -> ring(r, ASLEEP) :: else fi
#endif
        :: else -> SLEEP(w, ASLEEP, P > taken)
        fi
     :: else -> SLEEP(w, FOR_D, J - JT < CJ)
     fi
  od
}

active proctype journaler() {
  do
  :: D == NC -> break
  :: else ->
     if
     :: J > D -> BEFORE(r, ASLEEP); D++; BEHIND(r, ASLEEP); JT = D;
#ifndef NOROOM
        ring(w, FOR_D)
#endif
     :: else -> SLEEP(j, ASLEEP, J > D)
     fi
  od
}

active proctype reader() {
  do
  :: R == NC -> break
  :: else ->
     if
     :: VISIBLE -> assert(D > R); R++
     :: else -> SLEEP(r, ASLEEP, VISIBLE)
     fi
  od
}

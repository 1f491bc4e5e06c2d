"""Programs that look at all that an observer could disturb; each prints how often JAX did what."""

HEAD = """
import atexit, functools, jax, sys, threading
import jax.numpy as jnp

counts, counting = {}, threading.RLock()  # events of several threads must not be lost

def told(event, *args, **kwargs):
    with counting:
        counts[event] = counts.get(event, 0) + 1

def tell():
    print(sorted((name.rsplit("/", 1)[-1], n) for name, n in counts.items() if "compil" in name))

jax.monitoring.register_event_duration_secs_listener(told)
jax.monitoring.register_event_listener(told)
atexit.register(tell)
"""

WRAPPED = r'''
import inspect, types
@functools.partial(jax.jit, static_argnames=('n',))
def f(x, n: int = 2, *, k=None):
    """Doc of f.

    >>> float(f(1.0))
    2.0
    """
    return x * n
print(isinstance(f, jax.stages.Wrapped), inspect.signature(f), f.__name__, f.__doc__, f.__qualname__,
    f.__module__)
print(callable(f), inspect.isfunction(f), inspect.isroutine(f), isinstance(f, types.FunctionType))
print(type(f.__wrapped__), inspect.unwrap(f) is f.__wrapped__)
print(sorted(a for a in dir(f) if not a.startswith('__')))
print(inspect.getsourcelines(f)[1])
try: print(inspect.getsourcefile(f))
except TypeError as e: print(type(e))
print(repr(f)[:30], f == f, hash(f) == hash(f), f.__annotations__)
print(bool(f), inspect.iscoroutinefunction(f))
print(hasattr(f, '__code__'), hasattr(f, '__defaults__'), hasattr(f, '__get__'), hasattr(f,'__self__'))
import doctest
print(doctest.testmod())
f.mine = 3
print(f.mine, f.__dict__.get('mine'))
'''

PICKLE = r"""
import pickle, copy
@jax.jit
def f(x): return x + 1
for g in (lambda: pickle.dumps(f), lambda: copy.copy(f)(1.), lambda: copy.deepcopy(f)(1.)):
    try: print(g())
    except Exception as e: print(type(e).__name__)
try: pickle.dumps(jax.jit(lambda x: x))
except Exception as e: print(type(e).__name__)
"""

WRAPS = r"""
@functools.wraps(jax.jit(lambda x: x))
def w(*a): return 1
print(w.__name__)
@jax.jit
def f(x, y): return x - y
p = functools.partial(f, 1.)
print(p(2.), functools.partial(f, y=3.)(1.))
g = jax.jit(f)
print(g(1., 2.), jax.jit(jax.jit(lambda x: x * 3))(1.))
print(jax.jit(p)(5.), jax.grad(f)(1., 2.), jax.vmap(f)(jnp.ones(3), jnp.ones(3)))
print(jax.make_jaxpr(f)(1., 2.))
print(jax.make_jaxpr(jax.jit(f))(1., 2.))
print(jax.eval_shape(f, 1., 2.), f.eval_shape(1., 2.))
print(f.lower(1., 2.).as_text()[:60], f.trace(1., 2.).jaxpr)
print(f._cache_size())
f.clear_cache()
print(f._cache_size(), f(1., 2.), f._cache_size())
jax.clear_caches()
print(f._cache_size())
print(map(f, [1.], [2.]).__next__(), functools.reduce(f, [1., 2., 3.]))
"""

METHODS = r"""
class M:
    def __init__(self, k): self.k = k
    @functools.partial(jax.jit, static_argnums=0)
    def step(self, x): return x * self.k
    @jax.jit
    def free(x): return x + 1
    @staticmethod
    @jax.jit
    def st(x): return x - 1
    @classmethod
    @functools.partial(jax.jit, static_argnums=0)
    def cl(cls, x): return x * 7
    @property
    @functools.partial(jax.jit, static_argnums=0)
    def prop(self): return jnp.ones(2)
    @functools.cached_property
    def built(self): return jax.jit(lambda x: x * self.k)
m = M(3)
print(m.step(2.), M.step(m, 2.), M.free(1.), m.st(2.), M.st(2.), m.cl(1.), M.cl(2.), m.prop,
    m.built(2.), m.built(3.))
print(type(m.step).__name__, m.step.__self__ is m, m.step.__func__ is M.step, M.__dict__['step'] is M.step)
print(hasattr(m.step, 'lower'))
"""

OPTIONS = r"""
@jax.jit
def a(x): return x
@jax.jit()
def a2(x): return x
@jax.jit(static_argnames=['n'], donate_argnames='x')
def b(x, n): return x * n
c = jax.jit(fun=lambda x: x + 1) if False else jax.jit(lambda x: x + 1, inline=True)
print(a(1.), a2(1.), b(jnp.ones(2), n=3), c(2.))
d = jax.jit(donate_argnums=0)
print(type(d).__name__, d(lambda x: x * 2)(jnp.ones(2)))
jj = jax.jit
print(jj.__name__, jj.__module__, __import__('inspect').signature(jax.jit), jax.jit.__doc__[:30])
from jax import jit
print(jit is jax.jit, jit(lambda x: x)(1.))
"""

GC = r"""
import gc, weakref
def make(k):
    def f(x): return x * k
    return f
for k in range(3):
    f = make(k); j = jax.jit(f)
    print(j(2.), j(2.))
    wf, wj = weakref.ref(f), weakref.ref(j)
    del f, j
    gc.collect()
    print(wf() is None, wj() is None)
class A: pass
a = jnp.zeros(5); 
import numpy as np
class Arr(np.ndarray): pass
f = jax.jit(lambda x: x + 1)
x = np.zeros(3).view(Arr); w = weakref.ref(x)
f(x); del x; gc.collect(); print(w() is None)
f(jnp.zeros(7)); gc.collect(); print(sorted(a.shape for a in jax.live_arrays()))
"""

DONATE = r"""
f = jax.jit(lambda x, y: x + y, donate_argnums=0)
x = jnp.zeros(4)
y = f(x, x + 1)
print(x.is_deleted(), y)
"""

TRANSFORMS = r"""
from jax import export
f = jax.jit(lambda x: jnp.sin(x) * 2)
e = export.export(f)(jax.ShapeDtypeStruct((3,), 'float32'))
print(e.fun_name, e.in_avals, e.call(jnp.ones(3)))
@jax.custom_vjp
@jax.jit
def g(x): return x * x
g.defvjp(jax.jit(lambda x: (x * x, x)), jax.jit(lambda r, t: (3 * r * t,)))
print(jax.grad(g)(2.), jax.jit(jax.grad(g))(2.))
@jax.custom_jvp
def h(x): return x * x
h.defjvps(jax.jit(lambda t, ans, x: 5. * t))
print(jax.jvp(jax.jit(h), (2.,), (1.,)))
print(jax.pmap(f)(jnp.ones((1, 3))), jax.jacfwd(f)(jnp.ones(2)),
    jax.hessian(lambda x: f(x).sum())(jnp.ones(2)))
import jax.sharding as sh
mesh = jax.make_mesh((1,), ('d',), axis_types=(sh.AxisType.Auto,))
from jax import shard_map
print(shard_map(f, mesh=mesh, in_specs=sh.PartitionSpec('d'), out_specs=sh.PartitionSpec('d'))(jnp.ones(4)))
print(jax.lax.scan(lambda c, x: (f(c), x), 1., jnp.ones(3)), jax.lax.cond(True, f, f, 1.),
    jax.lax.fori_loop(0, 3, lambda i, x: f(x), 1.))
print(jax.checkpoint(f)(1.), jax.linearize(f, 1.)[1](2.), jax.vjp(f, 1.)[1](1.))
print(jax.pure_callback(lambda x: x, jax.ShapeDtypeStruct((), 'float32'), 1.))
k = jax.jit(lambda x: jax.debug.print('x {}', x)); k(1.); k(2.); jax.effects_barrier()
c = jax.jit(lambda x, y: x + y).lower(1., 2.).compile(); print(c(1., 2.), type(c).__name__, c.as_text()[:10])
with jax.disable_jit(): print(f(1.))
with jax.debug_nans(True): print(f(1.))
with jax.checking_leaks(): print(jax.jit(lambda x: x * 2)(1.))
from jax.tree_util import Partial
print(jax.jit(lambda q, x: q(x))(Partial(f), 1.))
print(jax.jit(lambda x: x * 2).__call__(1.))
"""

EXCEPTIONS = r"""
import traceback
@jax.jit
def bad(x):
    raise ValueError('no')
try: bad(1.)
except ValueError as e: print(repr(e), traceback.extract_tb(e.__traceback__)[-1].name)
@jax.jit
def g(x, n):
    return x if x > 0 else n
try: g(1., 2)
except jax.errors.TracerBoolConversionError as e: print(type(e))
h = jax.jit(lambda x, n: x * n, static_argnums=1)
try: h(1., [1])
except ValueError as e: print(str(e)[:60])
try: h(1.)
except TypeError as e: print(e)
try: h()
except TypeError as e: print(e)
try: jax.jit(lambda x: x)('s')
except TypeError as e: print(str(e)[:40])
try: jax.jit(3)
except TypeError as e: print(str(e)[:100])
try: jax.jit(lambda x: x, static_argnames='q')
except ValueError as e: print(str(e)[:100])
"""

LIBS = r"""
import equinox as eqx
from flax import nnx
import optax
mlp = eqx.nn.MLP(2, 1, 4, 1, key=jax.random.key(0))
@eqx.filter_jit
def loss(m, x): return jnp.mean(jax.vmap(m)(x) ** 2)
print(loss(mlp, jnp.ones((3, 2))), loss(mlp, jnp.ones((3, 2))),
    eqx.filter_grad(loss)(mlp, jnp.ones((3, 2))).layers[0].bias.shape)
class L(nnx.Module):
    def __init__(self): self.w = nnx.Param(jnp.ones(3))
    def __call__(self, x): return self.w * x
@nnx.jit
def st(m, x): return m(x).sum()
l = L()
print(st(l, jnp.ones(3)), nnx.value_and_grad(st)(l, jnp.ones(3))[0])
opt = optax.adam(1e-2)
@jax.jit
def step(p, s, x):
    g = jax.grad(lambda p: jnp.sum(p * x))(p)
    u, s = opt.update(g, s); return optax.apply_updates(p, u), s
p = jnp.ones(3); s = opt.init(p)
for _ in range(3): p, s = step(p, s, jnp.ones(3))
print(p)
"""

THREADS = r"""
import threading
f = jax.jit(lambda x: x * 2)
jnp.zeros(9)  # two threads at once may compile twice what all zeros need
out = []
def work(i):
    out.append((i, float(f(jnp.zeros(i + 1)).sum())))
ts = [threading.Thread(target=work, args=(i,)) for i in range(4)]
[t.start() for t in ts]; [t.join() for t in ts]
print(sorted(out), threading.active_count(), [t.name for t in threading.enumerate()])
"""

GENERATOR = r"""
import asyncio, concurrent.futures as cf
f = jax.jit(lambda x: x + 1)
f(0.)  # two threads at once may compile twice for one type
async def main():
    loop = asyncio.get_running_loop()
    return await asyncio.gather(*(loop.run_in_executor(None, f, jnp.zeros(i + 1)) for i in range(3)))
print([a.shape for a in asyncio.run(main())])
with cf.ThreadPoolExecutor(2) as ex: print(list(ex.map(f, [1., 2.])))
"""

RECURSION = r"""
@jax.jit
def f(x): return x + 1
def deep(n, x): return f(x) if n == 0 else deep(n - 1, x)
print(deep(900, 1.))
"""

SPAWN = r"""
import multiprocessing as mp
def work(n):
    return float(jax.jit(lambda x: x * n)(1.))
@jax.jit
def top(x): return x + 1
def work2(x): return float(top(x))
if __name__ == '__main__':
    with mp.get_context('spawn').Pool(1) as pool:
        print(pool.map(work, [2, 3]), pool.map(work2, [1., 2.]))
        pool.close()
        pool.join()
"""

LOGGING = r"""
import logging
logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format='%(name)s %(levelname)s')
jax.config.update('jax_log_compiles', True)
jax.config.update('jax_explain_cache_misses', True)
f = jax.jit(lambda x: x + 1)
f(1.); f(jnp.zeros(2)); f(jnp.zeros(3))
for name in ('jax', 'jax._src.dispatch', 'jax._src.interpreters.partial_eval', 'jax._src.cache_key'):
    logger = logging.getLogger(name)
    print(name, logger.level, logger.handlers, logger.filters)
"""

STDERR = r"""
import warnings
f = jax.jit(lambda x: x[:2], donate_argnums=0)
f(jnp.ones(4))
warnings.warn('mine')
print('err', file=sys.stderr)
"""

MAIN = r"""
print(__name__, __file__, sys.argv, __doc__, __spec__, __package__, sys.path[0],
    sorted(k for k in globals() if k.startswith('__')))
import __main__; print(__main__.__file__, __main__.jax is jax)
from dataclasses import dataclass
@dataclass
class D: x: int = 1
print(D(), sys.modules['__main__'].D is D)
import os
print(os.getcwd() == os.path.dirname(os.path.abspath(__file__)), sys.flags.optimize,
    sys.stdout.isatty(), sys.stdout.encoding, sys.stdout.line_buffering)
print(sys.getrecursionlimit(), sys.gettrace(), sys.getprofile(), sys.excepthook is sys.__excepthook__,
    sys.stdout is sys.__stdout__)
import warnings, gc, signal
print(warnings.filters[:2], gc.isenabled(), gc.get_threshold(), signal.getsignal(2))
"""

ATEXIT = r"""
f = jax.jit(lambda x: x + 1)
atexit.register(lambda: print('bye', f(1.), f(jnp.zeros(3))))
print(f(1.))
"""

EXIT = r"""
f = jax.jit(lambda x: x + 1)
print(f(1.))
sys.exit(7)
"""

EXITTEXT = r"""
sys.exit('gone')
"""

UNCAUGHT = r"""
@jax.jit
def bad(x):
    return x.nothing
bad(1.)
"""

PROGRAMS = {
    "jax": HEAD + GC + DONATE + TRANSFORMS + EXCEPTIONS + WRAPPED + PICKLE + WRAPS + METHODS + OPTIONS,
    "libraries": HEAD + LIBS + THREADS + GENERATOR + RECURSION,
    "spawn": HEAD + SPAWN,
    "exit, logging": HEAD + MAIN + STDERR + LOGGING + ATEXIT + EXIT,
    "exit text": HEAD + EXITTEXT,
    "raises": HEAD + UNCAUGHT,
}
"""Several in one process where they end alike: most of what a small one takes is the import of JAX."""

DISK = (
    HEAD
    + r"""
import os
jax.config.update('jax_compilation_cache_dir', sys.argv[1])
jax.config.update('jax_persistent_cache_min_compile_time_secs', 0)
f = jax.jit(lambda x: jnp.sin(x) + 1)
f(jnp.ones(3)); f(jnp.ones(4))
@jax.jit
def g(x): return jax.jit(lambda y: y * 2)(x) + 1
g(1.)
print(sorted(n for n in os.listdir(sys.argv[1]) if n.endswith('-cache')))
"""
)

package io.cairn.zfsvm;

import io.cairn.shim.zfs.Zfs;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Set;

/** The real ZFS, with something done before and after its calls. */
final class Interposed {
  /** The calls that change something on a pool. */
  static final Set<String> CHANGES =
      Set.of(
          "snapshot",
          "cloneSnapshot",
          "promote",
          "rename",
          "destroy",
          "destroySnapshots",
          "rollbackTo",
          "hold",
          "release",
          "setProperties",
          "inheritProperty",
          "mount",
          "unmount");

  /** What is done around a call. */
  interface Around {
    /** Before the call; may change its arguments, and need not return. */
    void before(String call, Object[] arguments);

    /** After the call, whether it succeeded or not. */
    default void after(String call) {}
  }

  private Interposed() {}

  static Zfs zfs(Around around) {
    return (Zfs)
        Proxy.newProxyInstance(
            Zfs.class.getClassLoader(),
            new Class<?>[] {Zfs.class},
            (proxy, method, given) -> {
              Object[] arguments = given == null ? new Object[0] : given;
              around.before(method.getName(), arguments);
              try {
                return method.invoke(RealPool.zfs(), arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              } finally {
                around.after(method.getName());
              }
            });
  }
}

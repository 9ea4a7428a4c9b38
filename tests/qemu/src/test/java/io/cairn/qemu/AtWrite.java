package io.cairn.qemu;

import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.HostFileSystem;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The machine's file system, with something that happens just before one of the writes. */
final class AtWrite {
  private final AtomicInteger writesLeft;
  private final Runnable happens;

  private AtWrite(int number, Runnable happens) {
    this.writesLeft = new AtomicInteger(number);
    this.happens = happens;
  }

  static BlockFileSystem number(int number, Runnable happens) {
    return new AtWrite(number, happens).wrap(BlockFileSystem.class, HostFileSystem.instance());
  }

  private <T> T wrap(Class<T> type, T delegate) {
    return type.cast(
        Proxy.newProxyInstance(
            AtWrite.class.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> call(delegate, method, arguments)));
  }

  private @Nullable Object call(Object delegate, Method method, Object @Nullable [] arguments)
      throws Throwable {
    if (method.getName().equals("write") && writesLeft.decrementAndGet() == 0) {
      happens.run();
    }
    try {
      Object result = method.invoke(delegate, arguments);
      return result instanceof BlockFile file ? wrap(BlockFile.class, file) : result;
    } catch (InvocationTargetException e) {
      throw e.getCause() == null ? e : e.getCause();
    }
  }
}

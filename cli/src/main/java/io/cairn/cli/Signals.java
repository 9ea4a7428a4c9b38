package io.cairn.cli;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * Signal handlers where the JVM has them. {@code sun.misc.Signal} lives in the supported module
 * jdk.unsupported but is no part of the platform's API, so it is reached by reflection: where it is
 * missing, the JVM's own behaviour remains.
 */
final class Signals {
  private Signals() {}

  /** Connects the process's signals to an interruption. */
  static void install(Interruption interruption) {
    Consumer<String> end =
        name -> {
          if (interruption.arrive(name) == Interruption.Answer.END) {
            Runtime.getRuntime().halt(interruption.exitCode());
          }
          say("cairn: interrupted: stopping and rolling back; once more ends it at once");
        };
    handle("INT", end);
    handle("TERM", end);
    handle("USR1", name -> say("cairn: " + interruption.status()));
  }

  @SuppressWarnings("EmptyCatch")
  private static void handle(String name, Consumer<String> action) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      InvocationHandler call =
          (proxy, method, arguments) -> {
            switch (method.getName()) {
              case "handle" -> action.accept(name);
              case "hashCode" -> {
                return System.identityHashCode(proxy);
              }
              case "equals" -> {
                return arguments.length == 1 && proxy == arguments[0];
              }
              default -> {
                return "handler of SIG" + name;
              }
            }
            return null;
          };
      Object proxy =
          Proxy.newProxyInstance(Signals.class.getClassLoader(), new Class<?>[] {handler}, call);
      Method handle = signal.getMethod("handle", signal, handler);
      handle.invoke(null, signal.getConstructor(String.class).newInstance(name), proxy);
    } catch (ReflectiveOperationException | RuntimeException e) {
      // The JVM's own behaviour remains; the journal recovers from a plain end.
    }
  }

  private static void say(String line) {
    byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
    System.err.write(bytes, 0, bytes.length);
    System.err.flush();
  }
}

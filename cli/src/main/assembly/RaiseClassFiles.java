import java.io.ByteArrayInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.Collections;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Opcodes;

/**
 * Rewrites the class files of a jar from the form of Java 5 to that of Java 8, with the stack maps
 * that it has. The JVM's class data sharing takes nothing older, and picocli's classes are the
 * larger part of what the command loads. Run as {@code java -cp asm.jar:IN.jar
 * RaiseClassFiles.java IN.jar OUT.jar}.
 */
public final class RaiseClassFiles {
  private RaiseClassFiles() {}

  public static void main(String[] args) throws IOException {
    try (JarFile in = new JarFile(args[0]);
        JarOutputStream out = new JarOutputStream(new FileOutputStream(args[1]))) {
      for (JarEntry entry : Collections.list(in.entries())) {
        byte[] bytes = in.getInputStream(entry).readAllBytes();
        JarEntry copy = new JarEntry(entry.getName());
        copy.setTime(entry.getTime());
        out.putNextEntry(copy);
        out.write(entry.getName().endsWith(".class") ? raised(bytes) : bytes);
        out.closeEntry();
      }
    }
  }

  private static byte[] raised(byte[] bytes) throws IOException {
    ClassReader reader = new ClassReader(new ByteArrayInputStream(bytes));
    if (reader.readShort(6) >= Opcodes.V1_8) {
      return bytes;
    }
    ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_FRAMES);
    ClassVisitor raise =
        new ClassVisitor(Opcodes.ASM9, writer) {
          @Override
          public void visit(
              int version,
              int access,
              String name,
              String signature,
              String superName,
              String[] interfaces) {
            super.visit(Opcodes.V1_8, access, name, signature, superName, interfaces);
          }
        };
    reader.accept(raise, ClassReader.SKIP_FRAMES);
    return writer.toByteArray();
  }
}

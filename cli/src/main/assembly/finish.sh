#!/bin/sh
# finish.sh TARGET NAME JDK: completes the distribution TARGET/NAME and packs it as TARGET/NAME.tar.gz.
set -e
target=$1
name=$2
home=$target/$name
jdk=$3/bin

# Native libraries, out of their jars: extracting them at each start would take longer than the
# command.
for machine in x86_64 aarch64; do
  mkdir -p "$home/lib/native/$machine"
  (cd "$home/lib/native/$machine" &&
    "$jdk/jar" xf "$home"/lib/sqlite-jdbc-*.jar \
      "org/sqlite/native/Linux/$machine/libsqlitejdbc.so" &&
    mv "org/sqlite/native/Linux/$machine/libsqlitejdbc.so" . && rm -r org &&
    "$jdk/jar" xf "$home"/lib/jffi-*-native.jar "jni/$machine-Linux/libjffi-1.2.so" &&
    mv "jni/$machine-Linux/libjffi-1.2.so" . && rm -r jni)
done

picocli=$(echo "$home"/lib/picocli-*.jar)
"$jdk/java" -XX:TieredStopAtLevel=1 \
  -cp "$(echo "$home"/lib/asm-[0-9]*.jar):$picocli" \
  "$(dirname "$0")/RaiseClassFiles.java" "$picocli" "$target/picocli.jar"
mv "$target/picocli.jar" "$picocli"

rm -f "$home/lib/cairn.jsa" "$home/lib/cairn.jsa.for"
tar -C "$target" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@1795219200 \
  -czf "$target/$name.tar.gz" "$name"

# After the tar: the archive holds for this place only, another one makes its own.
JAVA_HOME=$3 "$home/libexec/make-archive" || echo "no start-up archive; starting will be slower" >&2

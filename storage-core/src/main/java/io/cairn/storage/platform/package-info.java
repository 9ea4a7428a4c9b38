/**
 * What the JDK cannot do with files and a module with native access can: hole punching, locks that
 * belong to an open file instead of the process, links that share blocks. A pure-Java default
 * always works; a better provider is found by {@link java.util.ServiceLoader}.
 */
@NullMarked
package io.cairn.storage.platform;

import org.jspecify.annotations.NullMarked;

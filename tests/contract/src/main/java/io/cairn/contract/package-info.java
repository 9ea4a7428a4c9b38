/**
 * Suites that prove an implementation of a seam. A new storage backend is done when it extends
 * {@link io.cairn.contract.StorageBackendContract} and all of its tests pass.
 */
@NullMarked
package io.cairn.contract;

import org.jspecify.annotations.NullMarked;

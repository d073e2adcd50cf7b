#include "weights/read_tensor.h"

#include <algorithm>
#include <cstring>

#include "weights/dtypes.h"

namespace t2v {

Tensor read_tensor(const TensorSource& source) {
  const StoredTensor& stored = source.stored;
  const at::ScalarType dtype = dtype_of(stored.format);
  const auto options = at::TensorOptions().dtype(dtype);
  if (stored.begin == stored.end) return at::empty(stored.shape, options);
  const auto bytes = source.file->bytes(stored);
  if (dtype == at::kBool &&
      std::any_of(bytes.begin(), bytes.end(), [](std::byte b) { return b > std::byte{1}; })) {
    throw Error(ErrorCode::kInput, {.doing = "reading " + source.file->path().string(),
                                    .got = "a BOOL that is neither 0 nor 1",
                                    .advice = "the file is damaged: download it again"});
  }
  if (reinterpret_cast<uintptr_t>(bytes.data()) % at::elementSize(dtype) == 0) {
    return at::from_blob(
        const_cast<std::byte*>(bytes.data()), stored.shape, [file = source.file](void*) {}, options);
  }
  Tensor copy = at::empty(stored.shape, options);
  std::memcpy(copy.mutable_data_ptr(), bytes.data(), bytes.size());
  return copy;
}

}  // namespace t2v

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "files/formats/number_format.h"

namespace t2v {

/// A tensor as a pickle describes it: numbers of a storage, which is another file of the archive.
struct PickledTensor {
  std::string storage;                 ///< the name of the file in the archive's data/
  std::optional<NumberFormat> format;  ///< none: the storage is of bytes, and the tensor says what they are
  int64_t storage_size = 0;            ///< in numbers of `format`, or in bytes
  int64_t offset = 0;                  ///< in numbers
  std::vector<int64_t> shape, strides;
};

/// The tensors of a pickle that torch.save wrote of a state dict, in order. Runs nothing: the pickle is read
/// by an interpreter that knows dictionaries, lists, tuples, text, numbers, and the few names that a tensor
/// needs. Error (kInput) that calls the file `origin` and says what a pickle asked for that is not among
/// them.
std::vector<std::pair<std::string, PickledTensor>> read_pickled_tensors(std::string_view pickle,
                                                                        const std::string& origin);

}  // namespace t2v

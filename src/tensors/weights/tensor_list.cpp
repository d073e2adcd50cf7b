#include "tensors/weights/tensor_list.h"

#include <algorithm>

namespace t2v {

bool TensorList::knows(std::string_view name) const {
  return tensors.contains(name) ||
         std::any_of(ignored.begin(), ignored.end(),
                     [&](const std::string& prefix) { return name.starts_with(prefix); });
}

}  // namespace t2v

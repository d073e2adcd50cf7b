#include <algorithm>
#include <cerrno>
#include <set>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "core/staged_file.h"
#include "t2v/text.h"
#include "weights/dtypes.h"
#include "weights/safetensors.h"

namespace t2v {
namespace {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

[[noreturn]] void misused(const std::string& got) {
  throw Error(ErrorCode::kBug, {.doing = "writing a safetensors file", .got = got});
}

/// The tensors as their bytes are written: on the CPU, contiguous, the widest numbers first so that all are
/// aligned.
NamedTensors in_file_order(const NamedTensors& tensors) {
  NamedTensors order;
  std::set<std::string> names{"__metadata__"};
  for (const auto& [name, tensor] : tensors) {
    if (!names.insert(name).second || !is_valid_utf8(name)) misused("the name '" + name + "'");
    if (!number_format_of(tensor.scalar_type())) misused("the dtype " + dtype_name(tensor.scalar_type()));
    order.emplace_back(name, tensor.to(at::kCPU).contiguous());
  }
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.second.element_size() > b.second.element_size();
  });
  return order;
}

/// The length and the JSON of the header, padded so that the data behind it is aligned.
std::string header_bytes(const NamedTensors& tensors, const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  for (const auto& [key, value] : metadata) {
    if (!is_valid_utf8(key) || !is_valid_utf8(value)) misused("metadata that is not UTF-8: " + key);
    header["__metadata__"][key] = value;
  }
  size_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    header[name] = {{"dtype", number_format_name(*number_format_of(tensor.scalar_type()))},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {offset, offset + tensor.nbytes()}}};
    offset += tensor.nbytes();
  }
  std::string json = header.dump();
  json.resize((json.size() + 7) / 8 * 8, ' ');
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(json.size() >> (8 * i));
  return bytes + json;
}

void write_bytes(int descriptor, const void* bytes, size_t size, const std::filesystem::path& file) {
  const char* next = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t count = ::write(descriptor, next, size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw output_error(file, errno);
    next += count;
    size -= static_cast<size_t>(count);
  }
}

}  // namespace

void write_safetensors(const std::filesystem::path& file, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata, bool overwrite) {
  std::error_code ignored;
  const auto type = std::filesystem::status(file, ignored).type();
  // The rename at the end would replace a device or a FIFO by a file of that name.
  if (type > std::filesystem::file_type::not_found && type != std::filesystem::file_type::regular) {
    throw Error(ErrorCode::kOutput, {.doing = "writing " + file.string(),
                                     .got = "a folder or a special file of that name",
                                     .expected = "a regular file, or none",
                                     .advice = "choose another name"});
  }
  const NamedTensors order = in_file_order(tensors);
  const std::string header = header_bytes(order, metadata);
  StagedFile staged(file);
  write_bytes(staged.descriptor(), header.data(), header.size(), file);
  for (const auto& [name, tensor] : order) {
    write_bytes(staged.descriptor(), tensor.const_data_ptr(), tensor.nbytes(), file);
  }
  staged.sync();
  staged.publish(overwrite);
}

}  // namespace t2v

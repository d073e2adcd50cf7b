#include "t2v/whole_file.h"

#include "core/staged_file.h"
#include "media/output_format.h"

namespace t2v {

WholeFile::WholeFile(const std::string& flag, const std::filesystem::path& file, bool overwrite)
    : overwrite_(overwrite) {
  check_file(flag, file, overwrite);
  staged_ = std::make_unique<StagedFile>(file);
}

WholeFile::~WholeFile() = default;

void WholeFile::write(const std::string& text) {
  staged_->write(text);
  staged_->sync();
  staged_->publish(overwrite_);
}

}  // namespace t2v
